-- Answers in words: what each may cost is set aside and charged in the ledger, under its id, as of a job.

-- How an amount is known: '' by the record of a job, 'told' by the account's own count of tokens, 'counted' by ours of what
-- passed, 'estimate' what was set aside, because nothing else is known.
ALTER TABLE ledger ADD COLUMN basis TEXT NOT NULL DEFAULT '' CHECK (basis IN ('', 'told', 'counted', 'estimate'));

-- Those under way for which something is set aside. What is here at a start was cut off by the end of the last process.
CREATE TABLE outlays (id TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;

-- Records of exchanges that have ended, as far as [words] records wants them.
CREATE TABLE exchanges (
    id TEXT NOT NULL PRIMARY KEY,  -- in the order of their beginning
    owner TEXT NOT NULL,
    began REAL NOT NULL,
    ended REAL NOT NULL,
    record BLOB NOT NULL,  -- the rest, as JSON
    request BLOB,  -- the bodies, without secrets, as far as they are kept
    response BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX exchanges_owned ON exchanges (owner, id);
