-- Sessions that are listed, and judged by the database's clock. Those from before say neither how nor when they began, so they end here.
DROP TABLE sessions;

CREATE TABLE sessions (
    id_hash          TEXT PRIMARY KEY,     -- SHA-256 of the cookie's value, which is nowhere in the database
    id               TEXT NOT NULL UNIQUE, -- stays when the cookie's value changes
    user_id          TEXT NOT NULL,
    roles            TEXT NOT NULL,        -- JSON: those under which the cookie's value was made
    method           TEXT NOT NULL,        -- password, oidc
    began_at         BIGINT NOT NULL,
    authenticated_at BIGINT NOT NULL,      -- when they last proved who they are
    used_at          BIGINT NOT NULL,      -- to the minute
    address          TEXT,
    agent            TEXT
);

CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_beginning ON sessions (began_at);

-- Browsers from which somebody has signed in: what strangers try with their name does not keep them out there.
CREATE TABLE devices (
    secret_hash TEXT PRIMARY KEY, -- SHA-256 of the cookie's value, which is nowhere in the database
    user_id     TEXT NOT NULL,
    used_at     BIGINT NOT NULL   -- when they last signed in there
);

CREATE INDEX devices_by_user ON devices (user_id);
CREATE INDEX devices_by_use ON devices (used_at);

-- How much was tried: of a name, folded so that strangers can't fill the table, or of a device. Every replica counts here.
CREATE TABLE sign_in_tries (
    who     TEXT PRIMARY KEY,
    full_at BIGINT NOT NULL       -- when as many may be tried again as at first
);

CREATE INDEX sign_in_tries_by_end ON sign_in_tries (full_at);

-- Who changes roles or disables somebody waits for whoever does so now: one admin stays.
INSERT INTO counters (name, value) VALUES ('accounts lock', 0);
