-- Executions and what they leave behind. The recommendation may be gone before them (imported history), so nothing refers
-- to it by key.
CREATE TABLE executions (
    id                TEXT COLLATE "C" PRIMARY KEY,
    recommendation_id TEXT COLLATE "C" NOT NULL,
    ticket_digest     TEXT COLLATE "C" NOT NULL UNIQUE, -- one ticket, one run
    cluster           TEXT COLLATE "C" NOT NULL,
    name              TEXT COLLATE "C" NOT NULL,
    workflow_id       TEXT COLLATE "C",
    state             TEXT COLLATE "C" NOT NULL,
    stage             TEXT COLLATE "C" NOT NULL CHECK (stage IN ('claimed', 'created', 'started', 'ended')),
    epoch             BIGINT NOT NULL,   -- attempts at creating it
    revision          BIGINT NOT NULL,
    reason            TEXT,
    message           TEXT,
    uid               TEXT,
    approved_by       TEXT NOT NULL,     -- JSON: actors
    created_at        BIGINT NOT NULL,
    expires_at        BIGINT NOT NULL,
    started_at        BIGINT,
    finished_at       BIGINT,
    cancel_requested  BIGINT NOT NULL,
    assessment        TEXT COLLATE "C" NOT NULL,
    search            TEXT NOT NULL,
    subject           TEXT NOT NULL,     -- JSON: what it is about; fixed at approval
    UNIQUE (cluster, name)
);

CREATE INDEX executions_newest ON executions (created_at, id);
CREATE INDEX executions_by_state ON executions (state, created_at, id);
CREATE INDEX executions_by_playbook ON executions (workflow_id, created_at, id);
CREATE INDEX executions_by_recommendation ON executions (recommendation_id, created_at, id);
CREATE INDEX executions_unfinished ON executions (cluster) WHERE stage <> 'ended';

CREATE TABLE tasks (
    execution_id TEXT COLLATE "C" NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    name         TEXT COLLATE "C" NOT NULL,
    position     BIGINT NOT NULL,
    state        TEXT COLLATE "C" NOT NULL,
    content      TEXT NOT NULL,          -- JSON
    PRIMARY KEY (execution_id, name)
);

CREATE TABLE action_records (
    id           TEXT COLLATE "C" PRIMARY KEY,
    execution_id TEXT COLLATE "C" NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    task         TEXT COLLATE "C" NOT NULL,
    workflow_id  TEXT COLLATE "C",
    action_type  TEXT COLLATE "C" NOT NULL,
    image        TEXT NOT NULL,
    inputs       TEXT NOT NULL,          -- JSON; secrets are only named
    outputs      TEXT,                   -- JSON
    status       TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    started_at   BIGINT,
    finished_at  BIGINT,
    UNIQUE (execution_id, task)
);

CREATE INDEX action_records_newest ON action_records (created_at, id);
CREATE INDEX action_records_by_playbook ON action_records (workflow_id, created_at, id);
CREATE INDEX action_records_by_type ON action_records (action_type, created_at, id);
CREATE INDEX action_records_by_status ON action_records (status, created_at, id);

CREATE TABLE log_lines (
    execution_id TEXT COLLATE "C" NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    task         TEXT COLLATE "C" NOT NULL,
    attempt      BIGINT NOT NULL,
    line         BIGINT NOT NULL,
    at           BIGINT,
    text         TEXT NOT NULL,
    PRIMARY KEY (execution_id, task, attempt, line)
);

-- Counts of executions that ended, by the UTC day they ended on; kept for years. Where there is no playbook, version or
-- model the text is empty, since a key holds no nulls.
CREATE TABLE rollups (
    day          BIGINT NOT NULL,        -- days since 1970
    cluster      TEXT COLLATE "C" NOT NULL,
    workflow_id  TEXT COLLATE "C" NOT NULL,
    version      TEXT COLLATE "C" NOT NULL,
    signal_type  TEXT COLLATE "C" NOT NULL,
    action_type  TEXT COLLATE "C" NOT NULL,
    model        TEXT COLLATE "C" NOT NULL,
    runs         BIGINT NOT NULL,
    succeeded    BIGINT NOT NULL,
    effective    BIGINT NOT NULL,
    ineffective  BIGINT NOT NULL,
    inconclusive BIGINT NOT NULL,
    not_assessed BIGINT NOT NULL,
    recurred     BIGINT NOT NULL,
    PRIMARY KEY (day, cluster, workflow_id, version, signal_type, action_type, model)
);

CREATE INDEX rollups_by_playbook ON rollups (workflow_id, day);

-- How often a phase of them took how long; what a bucket means stands in the store's `phases` module.
CREATE TABLE rollup_phases (
    day         BIGINT NOT NULL,
    cluster     TEXT COLLATE "C" NOT NULL,
    workflow_id TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL,
    signal_type TEXT COLLATE "C" NOT NULL,
    action_type TEXT COLLATE "C" NOT NULL,
    model       TEXT COLLATE "C" NOT NULL,
    phase       TEXT COLLATE "C" NOT NULL,
    bucket      BIGINT NOT NULL,
    count       BIGINT NOT NULL,
    PRIMARY KEY (day, cluster, workflow_id, version, signal_type, action_type, model, phase, bucket)
);

CREATE INDEX rollup_phases_by_playbook ON rollup_phases (workflow_id, day);
