-- What was recommended, the tickets made of it, and what was decided.
CREATE TABLE recommendations (
    id           TEXT PRIMARY KEY,
    revision     BIGINT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('open', 'decided', 'expired', 'superseded')),
    cluster      TEXT NOT NULL,
    origin       TEXT NOT NULL,          -- JSON
    origin_uid   TEXT,       -- of the WorkflowExecution that waits in the cluster
    proposer     TEXT NOT NULL,          -- JSON: the actor
    incident_id  TEXT NOT NULL,
    signal_type  TEXT NOT NULL,
    severity     TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    search       TEXT NOT NULL,
    content      TEXT NOT NULL           -- JSON: all that was said; it never changes
);

-- One open recommendation for an incident; also the inbox's badge.
CREATE UNIQUE INDEX recommendations_open ON recommendations (cluster, incident_id) WHERE state = 'open';
CREATE INDEX recommendations_by_deadline ON recommendations (state, expires_at, id);
CREATE INDEX recommendations_newest ON recommendations (created_at, id);
CREATE INDEX recommendations_by_state ON recommendations (state, created_at, id);
CREATE INDEX recommendations_by_incident ON recommendations (incident_id, created_at, id);
CREATE INDEX recommendations_by_signal ON recommendations (signal_type, created_at, id);
-- One recommendation for an applied object, also when two replicas see it at once.
CREATE UNIQUE INDEX recommendations_by_uid ON recommendations (origin_uid) WHERE origin_uid IS NOT NULL;

-- Strategies and findings stand in the content too; these rows are what they are found and triaged by.
CREATE TABLE strategies (
    recommendation_id TEXT NOT NULL REFERENCES recommendations (id) ON DELETE CASCADE,
    position          BIGINT NOT NULL,
    action_type       TEXT NOT NULL,
    workflow_id       TEXT,  -- null: a step list
    version           TEXT,
    runnable          BIGINT NOT NULL,
    PRIMARY KEY (recommendation_id, position)
);

CREATE INDEX strategies_by_playbook ON strategies (workflow_id, recommendation_id);

CREATE TABLE findings (
    id                    TEXT PRIMARY KEY,
    recommendation_id     TEXT NOT NULL REFERENCES recommendations (id) ON DELETE CASCADE,
    severity              TEXT,
    suggested_workflow_id TEXT,
    created_at            BIGINT NOT NULL,
    content               TEXT NOT NULL  -- JSON
);

CREATE INDEX findings_newest ON findings (created_at, id);
CREATE INDEX findings_by_recommendation ON findings (recommendation_id);

CREATE TABLE tickets (
    digest            TEXT PRIMARY KEY,
    canonical         TEXT NOT NULL,     -- exactly what was hashed
    recommendation_id TEXT NOT NULL REFERENCES recommendations (id) ON DELETE CASCADE,
    made_by           TEXT NOT NULL,     -- JSON: the actor
    made_at           BIGINT NOT NULL
);

CREATE INDEX tickets_by_recommendation ON tickets (recommendation_id);

CREATE TABLE decisions (
    id                TEXT PRIMARY KEY,
    recommendation_id TEXT NOT NULL REFERENCES recommendations (id) ON DELETE CASCADE,
    position          BIGINT NOT NULL,   -- their order; the clock alone might tie
    verb              TEXT NOT NULL CHECK (verb IN ('approve', 'reject')),
    strategy          BIGINT NOT NULL,
    ticket_digest     TEXT,
    reason            TEXT,
    actor             TEXT NOT NULL,     -- JSON
    decided_at        BIGINT NOT NULL,
    UNIQUE (recommendation_id, position)
);
