-- Upload slots. One is filled once, before it expires.

CREATE TABLE uploads (
    id TEXT NOT NULL PRIMARY KEY,
    wire TEXT NOT NULL,
    owner TEXT NOT NULL,
    media_type TEXT NOT NULL,
    name TEXT,
    min_bytes INTEGER NOT NULL,
    max_bytes INTEGER NOT NULL,
    created REAL NOT NULL,
    slot_expires REAL NOT NULL,
    expires REAL NOT NULL,
    asset TEXT,
    bytes INTEGER CHECK (bytes >= 0),
    CHECK ((asset IS NULL) = (bytes IS NULL))
) STRICT;

-- A caller's list, newest first.
CREATE INDEX uploads_listed ON uploads (wire, owner, created);
