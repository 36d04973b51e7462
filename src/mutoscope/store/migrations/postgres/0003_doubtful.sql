-- What may have been paid for, as an operator asks for it: as short as what is being sent and what was lost.
CREATE INDEX dispatches_doubtful ON dispatches (job, number) WHERE sent IN ('unknown', 'intended');
