-- People, their sessions, and tokens.
CREATE TABLE users (
    id              TEXT PRIMARY KEY,
    name            TEXT NOT NULL UNIQUE,
    roles           TEXT NOT NULL,       -- JSON
    password        TEXT NOT NULL,       -- PHC string of argon2id
    disabled        BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    last_sign_in_at BIGINT
);

CREATE TABLE sessions (
    id_hash    TEXT PRIMARY KEY, -- SHA-256 of the cookie's value, which is nowhere in the database
    user_id    TEXT,
    data       TEXT NOT NULL,            -- JSON
    expires_at BIGINT NOT NULL
);

CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    roles        TEXT NOT NULL,          -- JSON
    secret_hash  TEXT NOT NULL UNIQUE,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    last_used_at BIGINT,
    revoked_at   BIGINT
);

CREATE INDEX tokens_newest ON tokens (created_at, id);
CREATE INDEX tokens_by_name ON tokens (name);
