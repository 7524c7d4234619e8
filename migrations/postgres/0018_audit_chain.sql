-- The audit trail is chained: the mac of a row covers it and the mac of the row before it. Rows from before have none until the first
-- start with a key gives them theirs (docs/audit.md).
ALTER TABLE audit ADD COLUMN door TEXT COLLATE "C" NOT NULL DEFAULT 'console'; -- page, api, cli, cluster, console
ALTER TABLE audit ADD COLUMN address TEXT;                                     -- of the other end of the connection
ALTER TABLE audit ADD COLUMN key_id TEXT NOT NULL DEFAULT '';                  -- empty: not chained
ALTER TABLE audit ADD COLUMN mac TEXT NOT NULL DEFAULT '';                     -- hexadecimal digits

-- A console of an earlier version that still runs can write no row, and so do nothing, instead of breaking the chain.
ALTER TABLE audit ALTER COLUMN door DROP DEFAULT;
ALTER TABLE audit ALTER COLUMN key_id DROP DEFAULT;
ALTER TABLE audit ALTER COLUMN mac DROP DEFAULT;

UPDATE audit SET door = CASE
    WHEN route LIKE '% /api/%' THEN 'api'
    WHEN route LIKE '% /%' THEN 'page'
    WHEN route LIKE 'kubernaut-console%' THEN 'cli'
    WHEN route LIKE '% applied to the cluster' THEN 'cluster'
    ELSE 'console' END;

CREATE INDEX audit_by_door ON audit (door, sequence);

-- Where the trail ends: one row, taken at the very end of a transaction and held until the commit, as the counter was before it.
CREATE TABLE audit_head (
    one        BIGINT PRIMARY KEY CHECK (one = 1),
    sequence   BIGINT NOT NULL,          -- the last row; 0 before there is one
    mac        TEXT NOT NULL,            -- its mac
    key_id     TEXT NOT NULL,            -- of the next row; empty: the chain has not begun
    seal       TEXT NOT NULL,            -- over all others; empty: broken
    first_kept BIGINT NOT NULL,          -- rows before it were removed after their time
    anchor     TEXT NOT NULL             -- the mac that the first row follows on
);

INSERT INTO audit_head (one, sequence, mac, key_id, seal, first_kept, anchor)
SELECT 1, value, '0000000000000000000000000000000000000000000000000000000000000000', '', '', 1,
       '0000000000000000000000000000000000000000000000000000000000000000'
FROM counters WHERE name = 'audit';

DELETE FROM counters WHERE name = 'audit';

-- While there is a row in it nothing of the trail is removed.
CREATE TABLE audit_hold (
    one    BIGINT PRIMARY KEY CHECK (one = 1),
    since  BIGINT NOT NULL,
    actor  TEXT NOT NULL,                -- JSON
    reason TEXT NOT NULL
);
