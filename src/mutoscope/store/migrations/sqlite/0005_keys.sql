-- The keys of callers, what they sent, and a queue that is taken from owner by owner.

CREATE TABLE keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL CHECK (name <> ''),  -- the owner; "" is everybody's on an open server
    digest TEXT NOT NULL UNIQUE CHECK (length(digest) = 64),  -- SHA-256 of the whole key, by which alone it is found
    prefix TEXT NOT NULL,  -- how it begins, to be shown
    rights BLOB NOT NULL,
    created REAL NOT NULL,
    expires REAL,
    revoked REAL,
    last_used REAL  -- to the minute
) STRICT;

-- An owner's keys.
CREATE INDEX keys_named ON keys (name);

-- Counts the changes of what keys may do, so that every process can ask whether what it remembers is still so. 0: there
-- never was a key.
CREATE TABLE key_changes (number INTEGER NOT NULL) STRICT;

INSERT INTO key_changes (number) VALUES (0);

CREATE TRIGGER keys_added AFTER INSERT ON keys BEGIN
    UPDATE key_changes SET number = number + 1;
END;

CREATE TRIGGER keys_changed AFTER UPDATE OF name, digest, rights, expires, revoked ON keys BEGIN
    UPDATE key_changes SET number = number + 1;
END;

CREATE TRIGGER keys_removed AFTER DELETE ON keys BEGIN
    UPDATE key_changes SET number = number + 1;
END;

-- Bytes that each owner sent, by day (UTC). Written where a limit asks for it.
CREATE TABLE traffic (
    day TEXT NOT NULL,  -- YYYY-MM-DD
    owner TEXT NOT NULL,
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    PRIMARY KEY (day, owner)
) STRICT, WITHOUT ROWID;

-- The queue: what an engine may start, the oldest of each owner. As short as the queue is.
DROP INDEX jobs_queue;
CREATE INDEX jobs_queue ON jobs (engine, owner, id) WHERE state = 'queued' AND throttled = 0;

-- Leases that ran out, and whose jobs are running. As short as what is running.
DROP INDEX jobs_leased;
CREATE INDEX jobs_leased ON jobs (engine, leased_until, owner) WHERE state = 'running';
