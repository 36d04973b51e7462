-- What was said to vendors for a job and what they answered, as its page shows it.
CREATE TABLE transcripts (
    job TEXT NOT NULL,
    number INTEGER NOT NULL,
    bytes INTEGER NOT NULL,  -- of the record
    record BLOB NOT NULL,  -- a request and its answer, without secrets, as JSON
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;

-- Sessions of the console that were signed out and links that were used, until they would have ended by themselves.
CREATE TABLE ended_passes (
    nonce TEXT NOT NULL PRIMARY KEY,
    until REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX ended_passes_until ON ended_passes (until);
