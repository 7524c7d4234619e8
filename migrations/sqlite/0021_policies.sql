-- Approval policies: every version that was written, of which one is always in force; and who has agreed to put one there.
CREATE TABLE policies (
    version      BIGINT PRIMARY KEY,
    state        TEXT NOT NULL CHECK (state IN ('draft', 'active', 'retired')),
    origin       TEXT NOT NULL CHECK (origin IN ('built_in', 'console', 'file')),
    digest       TEXT NOT NULL,            -- SHA-256 of the text
    yaml         TEXT NOT NULL,            -- as it was written
    document     TEXT NOT NULL,            -- JSON: what it says
    made_by      TEXT NOT NULL,            -- JSON: the actor
    made_at      BIGINT NOT NULL,
    activated_at BIGINT,
    retired_at   BIGINT
);

CREATE UNIQUE INDEX policies_active ON policies (state) WHERE state = 'active';

-- What was agreed to under one policy does not count under another: with each that is put in force all others' go.
CREATE TABLE policy_agreements (
    version BIGINT NOT NULL REFERENCES policies (version) ON DELETE CASCADE,
    person  TEXT NOT NULL,
    actor   TEXT NOT NULL, -- JSON
    at      BIGINT NOT NULL,
    PRIMARY KEY (version, person)
);

INSERT INTO counters (name, value) VALUES ('policies lock', 0), ('targets lock', 0);

-- The default policy; the very text stands in the domain's `policy` module.
INSERT INTO policies (version, state, origin, digest, yaml, document, made_by, made_at, activated_at)
SELECT 1, 'active', 'built_in', 'sha256:84cebf9bde275704f24992910700ccf424baa237cd97f4d49425561f4a624392', '# One person approves; two where the risk is high. Never automatically.
name: default
rules:
  - name: high-risk
    match:
      risk: high
    approvals: 2
  - name: everything-else
    approvals: 1
', '{"name":"default","activation":1,"rules":[{"name":"high-risk","match":{"risk":["high"]},"grant":"people","approvals":{"need":2,"count":"people","requester_counts":false,"last_editor_counts":true}},{"name":"everything-else","grant":"people","approvals":{"need":1,"count":"people","requester_counts":false,"last_editor_counts":true}}]}',
    '{"id":"system:console","name":"console"}', now, now
FROM (SELECT CAST(ROUND(unixepoch('subsec') * 1000) AS BIGINT) AS now) AS clock;

-- For which groups of the policy somebody approved.
ALTER TABLE decisions ADD COLUMN stands_for TEXT NOT NULL DEFAULT '[]'; -- JSON: names

-- What a policy asks of other runs on the same object: that none goes on beside it, and how long after the end of the last one it
-- may begin, milliseconds. `let_go` is written with the permit to start: only what was let go keeps others from starting.
ALTER TABLE executions ADD COLUMN alone BIGINT NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN cool_down_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN let_go BIGINT NOT NULL DEFAULT 0;

UPDATE executions SET let_go = 1 WHERE stage = 'started' OR started_at IS NOT NULL;
