-- Money: what was set aside for each key's jobs, what they cost, and what follows of it for the owner.

-- The ledger. Entries are added with the transition of the job that they follow from, and neither changed nor removed. A job has
-- at most one entry of a kind:
--     reserve   when it is made: what it may cost
--     release   at its first end: the same amount
--     charge    at its first end: what it cost, if anything
--     late      after that: what it cost all the same, by a vendor's later word
CREATE TABLE ledger (
    job TEXT NOT NULL,  -- no foreign key: what was spent is known after its job is deleted
    kind TEXT NOT NULL CHECK (kind IN ('reserve', 'release', 'charge', 'late')),
    amount INTEGER NOT NULL CHECK (amount >= 0),  -- millionths of a credit
    owner TEXT NOT NULL CHECK (owner <> ''),  -- an open server's jobs are nobody's, and have no entries
    model TEXT NOT NULL,
    engine TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (job, kind)
) STRICT, WITHOUT ROWID;

-- What an owner spent in a period.
CREATE INDEX ledger_spent ON ledger (owner, at) WHERE kind IN ('charge', 'late');

-- The sums of each owner's entries, kept by the triggers below, so that a create need not add them up.
CREATE TABLE balances (
    owner TEXT NOT NULL,
    period TEXT NOT NULL,  -- YYYY-MM-DD, YYYY-MM (both UTC), or '' for all time
    charged INTEGER NOT NULL DEFAULT 0 CHECK (charged >= 0),  -- charge and late
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),  -- reserve less release; in the row of all time only
    PRIMARY KEY (owner, period),
    CHECK (reserved = 0 OR period = '')
) STRICT, WITHOUT ROWID;

-- Owners whose entries may be removed: those who are being forgotten. Empty at any other time.
CREATE TABLE forgotten (owner TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;

-- Before, because INSERT OR REPLACE would remove an entry without asking.
CREATE TRIGGER ledger_entered_once BEFORE INSERT ON ledger
WHEN EXISTS (SELECT 1 FROM ledger WHERE job = NEW.job AND kind = NEW.kind) BEGIN
    SELECT RAISE(ABORT, 'the ledger has this entry');
END;

CREATE TRIGGER ledger_unchanged BEFORE UPDATE ON ledger BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER ledger_kept BEFORE DELETE ON ledger
WHEN NOT EXISTS (SELECT 1 FROM forgotten WHERE owner = OLD.owner) BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER ledger_releases_once BEFORE INSERT ON ledger
WHEN NEW.kind = 'release' AND NEW.amount IS NOT (SELECT amount FROM ledger WHERE job = NEW.job AND kind = 'reserve') BEGIN
    SELECT RAISE(ABORT, 'what is released is what was reserved');
END;

CREATE TRIGGER ledger_reserves AFTER INSERT ON ledger WHEN NEW.kind = 'reserve' BEGIN
    INSERT INTO balances (owner, period, reserved) VALUES (NEW.owner, '', NEW.amount)
    ON CONFLICT DO UPDATE SET reserved = reserved + excluded.reserved;
END;

CREATE TRIGGER ledger_releases AFTER INSERT ON ledger WHEN NEW.kind = 'release' BEGIN
    UPDATE balances SET reserved = reserved - NEW.amount WHERE owner = NEW.owner AND period = '';
END;

CREATE TRIGGER ledger_charges AFTER INSERT ON ledger WHEN NEW.kind IN ('charge', 'late') BEGIN
    INSERT INTO balances (owner, period, charged)
    VALUES (NEW.owner, '', NEW.amount),
           (NEW.owner, strftime('%Y-%m', NEW.at, 'unixepoch'), NEW.amount),
           (NEW.owner, date(NEW.at, 'unixepoch'), NEW.amount)
    ON CONFLICT DO UPDATE SET charged = charged + excluded.charged;
END;

-- What was made before there was a ledger.
INSERT INTO ledger (job, kind, amount, owner, model, engine, at)
SELECT id, 'charge', CAST(round(cost * 1000000) AS INTEGER), owner, model, engine, finished
FROM jobs WHERE owner <> '' AND finished IS NOT NULL AND cost > 0;

INSERT INTO ledger (job, kind, amount, owner, model, engine, at)
SELECT id, 'reserve', CAST(round(coalesce(json_extract(CAST(request AS TEXT), '$.estimate'), 0) * 1000000) AS INTEGER),
       owner, model, engine, created
FROM jobs WHERE owner <> '' AND finished IS NULL;
