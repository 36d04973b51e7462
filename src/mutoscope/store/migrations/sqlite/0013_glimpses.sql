-- What a job in the making has come to, as a small picture. It goes with the attempt that made it.
CREATE TABLE glimpses (
    job TEXT NOT NULL PRIMARY KEY,
    picture BLOB NOT NULL  -- a JPEG
) STRICT, WITHOUT ROWID;
