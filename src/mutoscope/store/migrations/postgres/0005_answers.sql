-- Answers in words that can be asked for again by their id, and gone on from.
CREATE TABLE answers (
    owner TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    engine TEXT COLLATE "C" NOT NULL,
    previous TEXT COLLATE "C",
    created DOUBLE PRECISION NOT NULL,
    ready DOUBLE PRECISION NOT NULL,
    record BYTEA NOT NULL,
    input BYTEA NOT NULL,
    events BYTEA NOT NULL,
    PRIMARY KEY (owner, id)
);

CREATE INDEX answers_created ON answers (created);
