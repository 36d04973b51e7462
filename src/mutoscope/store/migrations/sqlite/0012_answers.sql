-- Answers in words that can be asked for again by their id, and gone on from.
CREATE TABLE answers (
    owner TEXT NOT NULL,
    id TEXT NOT NULL,  -- as the caller knows it
    engine TEXT NOT NULL,  -- who wrote it; of an account's answer nothing is here but whose it is
    previous TEXT,  -- the id of the one that it goes on from
    created REAL NOT NULL,
    ready REAL NOT NULL,  -- before then it is being written
    record BLOB NOT NULL,  -- the answer, in the words of its wire
    input BLOB NOT NULL,  -- what was asked, as items
    events BLOB NOT NULL,  -- those of its stream, where it can be followed again
    PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX answers_created ON answers (created);
