-- Jobs that vendors make: what was sent, what is waited for, what happened; and by what a repeated create is recognised.

-- The ledger of submissions: a row for each request that costs money, written before it is sent.
CREATE TABLE dispatches (
    job TEXT NOT NULL,  -- no foreign key: what was spent is known after its job is deleted
    number INTEGER NOT NULL CHECK (number > 0),
    account TEXT NOT NULL,
    reference TEXT NOT NULL,
    sent TEXT NOT NULL CHECK (sent IN ('intended', 'accepted', 'refused', 'unsent', 'unknown')),
    at REAL NOT NULL,
    answered REAL,
    upstream_id TEXT,  -- the `id` of the handle
    handle BLOB,
    detail TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (job, number),
    CHECK ((sent = 'accepted') = (handle IS NOT NULL)),
    CHECK ((handle IS NULL) = (upstream_id IS NULL)),
    CHECK ((sent = 'intended') = (answered IS NULL))
) STRICT, WITHOUT ROWID;

-- A job is never submitted twice: while one dispatch may have reached a vendor, there can be no other.
CREATE UNIQUE INDEX dispatches_open ON dispatches (job) WHERE sent IN ('intended', 'accepted', 'unknown');

-- Answers that are not known yet. As short as what is being sent.
CREATE INDEX dispatches_intended ON dispatches (account) WHERE sent = 'intended';

-- A vendor's task belongs to one job.
CREATE UNIQUE INDEX dispatches_upstream ON dispatches (account, upstream_id) WHERE upstream_id IS NOT NULL;

-- Jobs that vendors are making. Small rows, apart from the jobs', because each is written at every poll.
CREATE TABLE watches (
    job TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    handle BLOB NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('wait', 'cancel', 'late')),
    due REAL,  -- NULL while the results are fetched
    polls INTEGER NOT NULL DEFAULT 0 CHECK (polls >= 0),
    since REAL NOT NULL,
    deadline REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- What is due, account by account, and how many are waited for. One index, because every poll moves a row in it.
CREATE INDEX watches_due ON watches (account, due, mode) WHERE due IS NOT NULL;

-- The story of a job that went to a vendor.
CREATE TABLE events (
    number INTEGER PRIMARY KEY,  -- the order of events
    job TEXT NOT NULL,
    at REAL NOT NULL,
    what TEXT NOT NULL,
    account TEXT,
    detail TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX events_job ON events (job, number);

-- Creates that are recognised when they come again.
CREATE TABLE repeats (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    job TEXT NOT NULL,
    until REAL NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX repeats_until ON repeats (until);
