-- Webhook messages that are or were owed, and every attempt to deliver one.

CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY,  -- the order of creation
    id TEXT NOT NULL UNIQUE,
    job TEXT NOT NULL,  -- no foreign key: what is owed is still delivered after its job is deleted
    url TEXT NOT NULL,
    receiver TEXT NOT NULL,  -- host and port of the url
    event TEXT NOT NULL,
    body BLOB NOT NULL,
    created REAL NOT NULL,
    due REAL NOT NULL,  -- while leased: when the lease ends
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),  -- since it was made, or replayed
    delivered REAL,
    given_up REAL,
    leased_until REAL,
    CHECK (delivered IS NULL OR given_up IS NULL),
    CHECK (leased_until IS NULL OR (delivered IS NULL AND given_up IS NULL))
) STRICT;

-- What is due, and when the next one is.
CREATE INDEX deliveries_due ON deliveries (due) WHERE delivered IS NULL AND given_up IS NULL;

-- The same for each receiver, so that one with a long backlog does not hide the others.
CREATE INDEX deliveries_receivers ON deliveries (receiver, due) WHERE delivered IS NULL AND given_up IS NULL;

-- What is being sent at this moment.
CREATE INDEX deliveries_leased ON deliveries (leased_until, receiver) WHERE leased_until IS NOT NULL;

-- The messages of one job.
CREATE INDEX deliveries_job ON deliveries (job);

CREATE TABLE delivery_attempts (
    delivery TEXT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    number INTEGER NOT NULL CHECK (number > 0),
    at REAL NOT NULL,
    status INTEGER,
    error TEXT,
    ms REAL NOT NULL,
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;
