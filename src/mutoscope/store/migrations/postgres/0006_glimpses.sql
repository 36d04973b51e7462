-- What a job in the making has come to, as a small picture. It goes with the attempt that made it.
CREATE TABLE glimpses (
    job TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    picture BYTEA NOT NULL
);
