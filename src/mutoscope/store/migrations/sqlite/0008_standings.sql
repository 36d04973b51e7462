-- What each key holds and has waiting, so that its limits need not count its jobs. An open server's jobs have no row.

CREATE TABLE standings (
    owner TEXT NOT NULL,
    model TEXT NOT NULL,
    held INTEGER NOT NULL CHECK (held >= 0),  -- unfinished and not throttled
    waiting INTEGER NOT NULL CHECK (waiting >= 0),  -- queued, throttled ones too
    PRIMARY KEY (owner, model)
) STRICT, WITHOUT ROWID;

INSERT INTO standings (owner, model, held, waiting)
SELECT owner, model, sum(finished IS NULL AND throttled = 0), sum(state = 'queued')
FROM jobs WHERE owner <> '' GROUP BY owner, model;

CREATE TRIGGER standings_added AFTER INSERT ON jobs WHEN NEW.owner <> '' BEGIN
    INSERT INTO standings (owner, model, held, waiting)
    VALUES (NEW.owner, NEW.model, NEW.finished IS NULL AND NEW.throttled = 0, NEW.state = 'queued')
    ON CONFLICT (owner, model) DO UPDATE SET held = held + excluded.held, waiting = waiting + excluded.waiting;
END;

CREATE TRIGGER standings_moved AFTER UPDATE OF state, throttled ON jobs
WHEN NEW.owner <> '' AND (NEW.state <> OLD.state OR NEW.throttled <> OLD.throttled) BEGIN
    UPDATE standings
    SET held = held + (NEW.finished IS NULL AND NEW.throttled = 0) - (OLD.finished IS NULL AND OLD.throttled = 0),
        waiting = waiting + (NEW.state = 'queued') - (OLD.state = 'queued')
    WHERE owner = NEW.owner AND model = NEW.model;
END;

CREATE TRIGGER standings_removed AFTER DELETE ON jobs WHEN OLD.owner <> '' BEGIN
    UPDATE standings
    SET held = held - (OLD.finished IS NULL AND OLD.throttled = 0), waiting = waiting - (OLD.state = 'queued')
    WHERE owner = OLD.owner AND model = OLD.model;
END;
