-- Who works on this database, and who has which duty. The times are the database's own.

CREATE TABLE members (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    facts BYTEA NOT NULL,                    -- what it tells of itself, as JSON
    seen DOUBLE PRECISION NOT NULL           -- when it last did
);

CREATE TABLE duties (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    member TEXT COLLATE "C" NOT NULL,
    until DOUBLE PRECISION NOT NULL          -- from then on anybody may have it
);
