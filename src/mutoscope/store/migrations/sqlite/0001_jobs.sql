-- Jobs: the columns that are searched or change often stand before the blobs; `request` and `body` never change.

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,  -- UUIDv7: the order of ids is the order of creation
    wire TEXT NOT NULL,
    route TEXT NOT NULL,
    owner TEXT NOT NULL,
    model TEXT NOT NULL,
    engine TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'canceled')),
    throttled INTEGER NOT NULL CHECK (throttled IN (0, 1)),
    deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),  -- emptied; kept so that limits and usage still count it
    progress REAL CHECK (progress BETWEEN 0 AND 1),
    upstream_status TEXT,
    worker TEXT,
    leased_until REAL,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    created REAL NOT NULL,
    updated REAL NOT NULL,
    started REAL,
    finished REAL,
    cost REAL,
    outputs BLOB,
    failure BLOB,
    checkpoint BLOB,
    notes BLOB,
    request BLOB NOT NULL,
    body BLOB NOT NULL,
    CHECK ((finished IS NOT NULL) = (state IN ('succeeded', 'failed', 'canceled'))),
    CHECK (outputs IS NULL OR state = 'succeeded'),
    CHECK ((failure IS NOT NULL) = (state = 'failed')),
    CHECK ((worker IS NOT NULL) = (state = 'running')),
    CHECK ((leased_until IS NOT NULL) = (state = 'running')),
    CHECK (throttled = 0 OR state = 'queued'),
    CHECK (deleted = 0 OR finished IS NOT NULL)
) STRICT;

-- A caller's list, newest first.
CREATE INDEX jobs_listed ON jobs (wire, owner, route, id) WHERE deleted = 0;

-- The daily limit and the usage report: how many of a model an owner made since some id.
CREATE INDEX jobs_made ON jobs (owner, model, id);

-- The queue: what an engine may start, oldest first. As short as the queue is.
CREATE INDEX jobs_queue ON jobs (engine, id) WHERE state = 'queued' AND throttled = 0;

-- The concurrency limit: how many of a model an owner holds, and which of the throttled ones is next.
CREATE INDEX jobs_unfinished ON jobs (owner, model, throttled, id) WHERE finished IS NULL;

-- Leases that ran out. As short as what is running.
CREATE INDEX jobs_leased ON jobs (engine, leased_until) WHERE state = 'running';

-- Counts by state, and an operator's "show me what failed". Written once in a job's life.
CREATE INDEX jobs_ended ON jobs (state, id) WHERE finished IS NOT NULL AND deleted = 0;
