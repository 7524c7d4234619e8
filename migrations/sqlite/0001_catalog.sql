-- Playbook versions. A version never changes but for its status.
-- Ids are text, times are milliseconds since 1970 in UTC, flags are 0 and 1, JSON is text that was checked on the way in.
CREATE TABLE playbook_versions (
    workflow_id        TEXT NOT NULL,
    version            TEXT NOT NULL,
    version_key        TEXT NOT NULL, -- orders as SemVer 2.0.0 does
    status             TEXT NOT NULL CHECK (status IN ('active', 'disabled', 'deprecated')),
    status_reason      TEXT,
    registered_at      BIGINT NOT NULL,
    registered_by      TEXT NOT NULL,             -- JSON: the actor
    image              TEXT NOT NULL,             -- by digest
    signed             BIGINT,                    -- null: not known
    signal_type        TEXT,
    severity           TEXT,
    component          TEXT,
    environment        TEXT,
    priority           TEXT,
    risk_tolerance     TEXT,
    business_category  TEXT,
    category           TEXT,
    search             TEXT NOT NULL,             -- lower-case words to be found by
    content            TEXT NOT NULL,             -- JSON: the registration
    PRIMARY KEY (workflow_id, version)
);

CREATE UNIQUE INDEX playbook_versions_newest ON playbook_versions (workflow_id, version_key);
CREATE INDEX playbook_versions_newest_of_status ON playbook_versions (workflow_id, status, version_key);

CREATE TABLE playbook_tags (
    workflow_id TEXT NOT NULL,
    version     TEXT NOT NULL,
    tag         TEXT NOT NULL,
    PRIMARY KEY (workflow_id, version, tag),
    FOREIGN KEY (workflow_id, version) REFERENCES playbook_versions (workflow_id, version) ON DELETE CASCADE
);
