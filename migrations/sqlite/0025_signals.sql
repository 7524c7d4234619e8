-- Signals, each one firing of one alert, and the incidents that they belong to.
CREATE TABLE incidents (
    id          TEXT PRIMARY KEY,
    cluster     TEXT NOT NULL,
    source      TEXT NOT NULL CHECK (source IN ('alertmanager', 'kubernetes')),
    group_key   TEXT NOT NULL,     -- a digest of what the source says that belongs together
    state       TEXT NOT NULL CHECK (state IN ('firing', 'resolved')),
    signal_type TEXT NOT NULL,
    severity    TEXT NOT NULL,
    earlier_id  TEXT,              -- the one before it; it may be gone
    opened_at   BIGINT NOT NULL,         -- by the database's clock
    started_at  BIGINT NOT NULL,
    resolved_at BIGINT,
    signals     BIGINT NOT NULL,         -- how many it has
    firing      BIGINT NOT NULL,         -- how many of them fire
    search      TEXT NOT NULL,
    about       TEXT NOT NULL            -- JSON
);

CREATE UNIQUE INDEX incidents_firing ON incidents (cluster, source, group_key) WHERE state = 'firing';
CREATE INDEX incidents_newest ON incidents (opened_at, id);
CREATE INDEX incidents_by_state ON incidents (state, opened_at, id);
CREATE INDEX incidents_by_group ON incidents (cluster, source, group_key, opened_at);

CREATE TABLE signals (
    id          TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    cluster     TEXT NOT NULL,
    source      TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    round       BIGINT NOT NULL,         -- which signal of its alert it is; the clock alone might be set back
    starts_at   BIGINT NOT NULL,         -- as its source says
    seen_at     BIGINT NOT NULL,         -- when it was last known to fire
    told_at     BIGINT NOT NULL,         -- when something was last told of it, by the database's clock
    resolved_at BIGINT,
    told        BIGINT NOT NULL,         -- how often
    facts       TEXT NOT NULL,           -- JSON
    UNIQUE (cluster, source, fingerprint, round)
);

CREATE INDEX signals_by_incident ON signals (incident_id);
CREATE INDEX signals_by_fingerprint ON signals (cluster, fingerprint);
CREATE INDEX signals_quiet ON signals (source, seen_at) WHERE resolved_at IS NULL;

-- For which incident a recommendation came: it names the incident, or the fingerprint of one of its alerts.
ALTER TABLE recommendations ADD COLUMN fingerprint TEXT;
ALTER TABLE recommendations ADD COLUMN incident TEXT;
CREATE INDEX recommendations_of_incident ON recommendations (incident, created_at, id) WHERE incident IS NOT NULL;
CREATE INDEX recommendations_by_fingerprint ON recommendations (cluster, fingerprint) WHERE fingerprint IS NOT NULL;
