-- Counts of executions that ended, by span: a UTC day (1), sixteen of them that begin at a multiple of sixteen (16), all time (0,
-- day 0). What a question spans is put together from few rows, however much there is. The lengths of phases stand in the same
-- row as text: `phase.bucket=count`, separated by spaces; what a bucket means stands in the store's `phases` module. What
-- models said of the executions is the sum of their confidences in thousandths, and of how many.
CREATE TABLE rollups_by_span (
    span         BIGINT NOT NULL,
    day          BIGINT NOT NULL,        -- the first one, days since 1970
    cluster      TEXT NOT NULL,
    workflow_id  TEXT NOT NULL,
    version      TEXT NOT NULL,
    signal_type  TEXT NOT NULL,
    action_type  TEXT NOT NULL,
    model        TEXT NOT NULL,
    runs         BIGINT NOT NULL,
    succeeded    BIGINT NOT NULL,
    effective    BIGINT NOT NULL,
    ineffective  BIGINT NOT NULL,
    inconclusive BIGINT NOT NULL,
    not_assessed BIGINT NOT NULL,
    recurred     BIGINT NOT NULL,
    said         BIGINT NOT NULL,
    said_milli   BIGINT NOT NULL,
    phases       TEXT NOT NULL,
    PRIMARY KEY (span, day, cluster, workflow_id, version, signal_type, action_type, model)
) WITHOUT ROWID;

INSERT INTO rollups_by_span
SELECT 1, r.day, r.cluster, r.workflow_id, r.version, r.signal_type, r.action_type, r.model, r.runs, r.succeeded, r.effective,
    r.ineffective, r.inconclusive, r.not_assessed, r.recurred, 0, 0, COALESCE((
        SELECT string_agg(p.phase || '.' || p.bucket || '=' || p.count, ' ') FROM rollup_phases p
        WHERE p.day = r.day AND p.cluster = r.cluster AND p.workflow_id = r.workflow_id AND p.version = r.version
        AND p.signal_type = r.signal_type AND p.action_type = r.action_type AND p.model = r.model), '')
FROM rollups r;

INSERT INTO rollups_by_span
SELECT 16, day / 16 * 16, cluster, workflow_id, version, signal_type, action_type, model, CAST(SUM(runs) AS BIGINT),
    CAST(SUM(succeeded) AS BIGINT), CAST(SUM(effective) AS BIGINT), CAST(SUM(ineffective) AS BIGINT),
    CAST(SUM(inconclusive) AS BIGINT), CAST(SUM(not_assessed) AS BIGINT), CAST(SUM(recurred) AS BIGINT), 0, 0,
    COALESCE(string_agg(NULLIF(phases, ''), ' '), '')
FROM rollups_by_span WHERE span = 1
GROUP BY day / 16 * 16, cluster, workflow_id, version, signal_type, action_type, model;

INSERT INTO rollups_by_span
SELECT 0, 0, cluster, workflow_id, version, signal_type, action_type, model, CAST(SUM(runs) AS BIGINT),
    CAST(SUM(succeeded) AS BIGINT), CAST(SUM(effective) AS BIGINT), CAST(SUM(ineffective) AS BIGINT),
    CAST(SUM(inconclusive) AS BIGINT), CAST(SUM(not_assessed) AS BIGINT), CAST(SUM(recurred) AS BIGINT), 0, 0,
    COALESCE(string_agg(NULLIF(phases, ''), ' '), '')
FROM rollups_by_span WHERE span = 1
GROUP BY span, cluster, workflow_id, version, signal_type, action_type, model;

DROP TABLE rollup_phases;
DROP TABLE rollups;
ALTER TABLE rollups_by_span RENAME TO rollups;
