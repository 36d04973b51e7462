-- What was said to vendors for a job and what they answered, as its page shows it.
CREATE TABLE transcripts (
    job TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    bytes BIGINT NOT NULL,                   -- of the record
    record BYTEA NOT NULL,                   -- a request and its answer, without secrets, as JSON
    PRIMARY KEY (job, number)
);

-- Sessions of the console that were signed out and links that were used, until they would have ended by themselves.
CREATE TABLE ended_passes (
    nonce TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    until DOUBLE PRECISION NOT NULL
);

CREATE INDEX ended_passes_until ON ended_passes (until);
