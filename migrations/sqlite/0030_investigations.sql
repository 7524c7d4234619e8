-- Investigations of incidents by an agent, their attempts, and what was told of them while they went on.
CREATE TABLE investigations (
    id             TEXT PRIMARY KEY,
    incident_id    TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    cluster        TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('queued', 'running', 'answered', 'failed')),
    asked_by       TEXT NOT NULL,          -- JSON
    automatic      BIGINT NOT NULL,
    rank           BIGINT NOT NULL,        -- whose turn comes first: people's, then the worst
    asked_at       BIGINT NOT NULL,        -- by the database's clock
    due_at         BIGINT NOT NULL,        -- when it may be tried
    attempts       BIGINT NOT NULL,        -- how often it was
    claim          TEXT,                   -- whose it is while it goes on
    silent_at      BIGINT NOT NULL,        -- when its console is taken for gone
    ended_at       BIGINT,
    model          TEXT,
    prompt_version TEXT NOT NULL,
    root_cause     TEXT,
    recommendation TEXT,                   -- it may be gone
    fault          TEXT
);

CREATE UNIQUE INDEX investigations_open ON investigations (incident_id) WHERE state IN ('queued', 'running');
CREATE INDEX investigations_of_incident ON investigations (incident_id, asked_at, id);
CREATE INDEX investigations_due ON investigations (cluster, state, due_at) WHERE state IN ('queued', 'running');

CREATE TABLE investigation_attempts (
    investigation_id  TEXT NOT NULL REFERENCES investigations (id) ON DELETE CASCADE,
    number            BIGINT NOT NULL,     -- from 1
    cluster           TEXT NOT NULL,
    began_at          BIGINT NOT NULL,     -- by the database's clock
    ended_at          BIGINT,
    prompt_tokens     BIGINT,              -- as the agent reports it, or nothing
    completion_tokens BIGINT,
    cost_microusd     BIGINT,
    fault             TEXT,
    PRIMARY KEY (investigation_id, number)
);

CREATE INDEX investigation_attempts_began ON investigation_attempts (cluster, began_at);

CREATE TABLE investigation_steps (
    investigation_id TEXT NOT NULL REFERENCES investigations (id) ON DELETE CASCADE,
    number           BIGINT NOT NULL,      -- over all attempts, from 1
    attempt          BIGINT NOT NULL,
    told_at          BIGINT NOT NULL,
    kind             TEXT NOT NULL CHECK (kind IN ('console', 'agent', 'tool')),
    text             TEXT NOT NULL,
    PRIMARY KEY (investigation_id, number)
);

INSERT INTO counters (name, value) VALUES ('investigations lock', 0);
