-- The audit trail, live events, first answers, and the counters that give the first two their order.

-- A counter is taken at the very end of a transaction and its row is held until the commit: numbers have no gaps and
-- grow in the order of the commits. The locks are rows that are only ever held, to let one transaction at a time pass.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

INSERT INTO counters (name, value) VALUES ('audit', 0), ('events', 0), ('intake lock', 0), ('tokens lock', 0);

CREATE TABLE audit (
    sequence      BIGINT PRIMARY KEY,
    at            BIGINT NOT NULL,
    actor_id      TEXT NOT NULL,
    actor_name    TEXT NOT NULL,
    route         TEXT NOT NULL,
    action        TEXT NOT NULL,
    object_kind   TEXT NOT NULL,
    object_id     TEXT NOT NULL,
    before        TEXT,                  -- JSON
    after         TEXT,                  -- JSON
    reason        TEXT,
    request_id    TEXT NOT NULL,
    search_actor  TEXT NOT NULL,         -- lower case
    search_object TEXT NOT NULL,         -- lower case
    search        TEXT NOT NULL          -- every text of the row, lower case
);

CREATE INDEX audit_by_action ON audit (action, sequence);

CREATE TABLE events (
    id      BIGINT PRIMARY KEY,
    at      BIGINT NOT NULL,
    topic   TEXT NOT NULL,
    subject TEXT NOT NULL,
    data    TEXT NOT NULL                -- JSON
);

CREATE INDEX events_by_age ON events (at);

CREATE TABLE idempotency_keys (
    actor        TEXT NOT NULL,
    key          TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    taken_at     BIGINT NOT NULL,
    status       BIGINT,                 -- null: still being answered
    headers      TEXT,                   -- JSON: pairs of name and value
    body         TEXT,
    PRIMARY KEY (actor, key)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (taken_at);
