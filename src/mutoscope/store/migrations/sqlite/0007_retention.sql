-- Which job needs which file, and which files nobody needs any more.

-- Written with the job (inputs) and with its end (outputs); gone when the job, or the time its files are kept for, is.
CREATE TABLE asset_uses (
    role TEXT NOT NULL CHECK (role IN ('input', 'output')),
    job TEXT NOT NULL,
    asset TEXT NOT NULL,
    PRIMARY KEY (role, job, asset)
) STRICT, WITHOUT ROWID;

-- Who else needs a file: the same content is the same file, whoever made or sent it.
CREATE INDEX asset_uses_asset ON asset_uses (asset);

INSERT OR IGNORE INTO asset_uses (role, job, asset)
SELECT 'output', jobs.id, json_extract(made.value, '$.asset')
FROM jobs, json_each(CAST(outputs AS TEXT)) AS made WHERE outputs IS NOT NULL;

INSERT OR IGNORE INTO asset_uses (role, job, asset)
SELECT 'input', jobs.id, json_extract(given.value, '$.asset')
FROM jobs, json_each(CAST(request AS TEXT), '$.generation.inputs') AS given
WHERE deleted = 0 AND json_extract(given.value, '$.asset') IS NOT NULL;

-- Files to be removed, unless somebody needs them by then. A row stays until its file is gone.
CREATE TABLE asset_drops (
    asset TEXT NOT NULL PRIMARY KEY,
    due REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX asset_drops_due ON asset_drops (due);

-- The uploads that hold a file, those whose time is over, and all of one owner.
CREATE INDEX uploads_asset ON uploads (asset) WHERE asset IS NOT NULL;
CREATE INDEX uploads_expire ON uploads (expires);
CREATE INDEX uploads_owned ON uploads (owner);

-- Counts removals, so that a process forgets what another one removed.
CREATE TABLE removals (number INTEGER NOT NULL) STRICT;

INSERT INTO removals (number) VALUES (0);
