-- People who sign in at a provider: issuer and subject are the person, for ever; the name may change. Null: the console's own account.
-- Their password is empty and fits nothing.
ALTER TABLE users ADD COLUMN issuer TEXT COLLATE "C";
ALTER TABLE users ADD COLUMN subject TEXT COLLATE "C";
ALTER TABLE users ADD COLUMN member_of TEXT; -- JSON: their groups as of the last sign-in

CREATE UNIQUE INDEX users_by_subject ON users (issuer, subject);

-- Groups whose people are not let in.
CREATE TABLE blocked_groups (
    name       TEXT COLLATE "C" PRIMARY KEY,
    blocked_at BIGINT NOT NULL,
    blocked_by TEXT NOT NULL -- for people; the audit trail has the rest
);

-- Sign-ins that are under way at the provider, for ten minutes: each is taken out once, by the browser that began it.
CREATE TABLE begun_sign_ins (
    state_hash   TEXT COLLATE "C" PRIMARY KEY,
    browser_hash TEXT NOT NULL,
    nonce        TEXT NOT NULL,
    verifier     TEXT NOT NULL,
    next         TEXT NOT NULL,
    expires_at   BIGINT NOT NULL
);

CREATE INDEX begun_sign_ins_by_expiry ON begun_sign_ins (expires_at);

-- The ID token of who signed in at the provider, for signing out there, too. Null: they did not; empty: it is too long to be sent.
ALTER TABLE sessions ADD COLUMN id_token TEXT;
