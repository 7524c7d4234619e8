-- What a session's cookie was until it got another value: for requests that were under way with it. They may what it stood for then.
ALTER TABLE sessions ADD COLUMN old_hash TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN old_roles TEXT;              -- JSON: those under which the old value was made
ALTER TABLE sessions ADD COLUMN old_authenticated_at BIGINT; -- when they had last proved who they are
ALTER TABLE sessions ADD COLUMN renewed_at BIGINT;

CREATE INDEX sessions_by_old_hash ON sessions (old_hash);
