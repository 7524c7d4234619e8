-- Did it help? What the console found when it looked after a run, whether the signal came back, and a person's word where one overruled
-- it. The verdict that counts stands in executions.assessment.
CREATE TABLE assessments (
    execution_id TEXT PRIMARY KEY REFERENCES executions (id) ON DELETE CASCADE,
    cluster      TEXT NOT NULL,
    found        TEXT NOT NULL,          -- the console's own verdict
    evidence     TEXT NOT NULL,          -- JSON
    at           BIGINT NOT NULL,
    cleared_at   BIGINT,                 -- the signal, after the run had begun
    recurred_at  BIGINT,                 -- it came back
    counted      BIGINT NOT NULL,        -- spans (hour, day, week) after cleared_at that are over and counted
    next_at      BIGINT,                 -- when the next one is over; null: nothing is watched any more
    overruled    TEXT                    -- JSON: verdict, by, reason, at
);

CREATE INDEX assessments_watched ON assessments (cluster, next_at, execution_id) WHERE next_at IS NOT NULL;

-- When somebody looked whether it helped, or when it was known that nobody will. What ended before is not looked at any more.
ALTER TABLE executions ADD COLUMN assessed_at BIGINT;

UPDATE executions SET assessed_at = COALESCE(finished_at, created_at) WHERE stage = 'ended';

CREATE INDEX executions_unassessed ON executions (cluster, finished_at, id)
    WHERE stage = 'ended' AND assessed_at IS NULL AND started_at IS NOT NULL;

-- Rollups by prompt version too, and with how often a signal came back within an hour, a day and a week, of how many that were watched
-- for so long. Nobody had looked for that before.
CREATE TABLE rollups_by_prompt (
    span           BIGINT NOT NULL,
    day            BIGINT NOT NULL,      -- the first one, days since 1970
    cluster        TEXT NOT NULL,
    workflow_id    TEXT NOT NULL,
    version        TEXT NOT NULL,
    signal_type    TEXT NOT NULL,
    action_type    TEXT NOT NULL,
    model          TEXT NOT NULL,
    prompt_version TEXT NOT NULL,
    runs           BIGINT NOT NULL,
    succeeded      BIGINT NOT NULL,
    effective      BIGINT NOT NULL,
    ineffective    BIGINT NOT NULL,
    inconclusive   BIGINT NOT NULL,
    not_assessed   BIGINT NOT NULL,
    watched_hour   BIGINT NOT NULL,
    recurred_hour  BIGINT NOT NULL,
    watched_day    BIGINT NOT NULL,
    recurred_day   BIGINT NOT NULL,
    watched_week   BIGINT NOT NULL,
    recurred_week  BIGINT NOT NULL,
    said           BIGINT NOT NULL,
    said_milli     BIGINT NOT NULL,
    phases         TEXT NOT NULL,
    PRIMARY KEY (span, day, cluster, workflow_id, version, signal_type, action_type, model, prompt_version)
) WITHOUT ROWID;

INSERT INTO rollups_by_prompt
SELECT span, day, cluster, workflow_id, version, signal_type, action_type, model, '', runs, succeeded, effective, ineffective,
    inconclusive, not_assessed, 0, 0, 0, 0, 0, 0, said, said_milli, phases
FROM rollups;

DROP TABLE rollups;
ALTER TABLE rollups_by_prompt RENAME TO rollups;

CREATE INDEX rollups_by_day ON rollups
    (span, day, workflow_id, signal_type, runs, succeeded, effective, ineffective, inconclusive, not_assessed, watched_hour,
    recurred_hour, watched_day, recurred_day, watched_week, recurred_week, said, said_milli);

-- Calibration: what models said, by tenths, against what came of it; spans as in rollups. Only runs whose effect could be told.
CREATE TABLE calibration (
    span        BIGINT NOT NULL,
    day         BIGINT NOT NULL,
    cluster     TEXT NOT NULL,
    model       TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    signal_type TEXT NOT NULL,
    action_type TEXT NOT NULL,
    bin         BIGINT NOT NULL,
    runs        BIGINT NOT NULL,
    helped      BIGINT NOT NULL,
    said_milli  BIGINT NOT NULL,
    squared     BIGINT NOT NULL,         -- of what was said less what came of it, millionths
    PRIMARY KEY (span, day, cluster, model, workflow_id, signal_type, action_type, bin)
) WITHOUT ROWID;

INSERT INTO calibration
SELECT span, day, cluster, model, workflow_id, signal_type, action_type, CASE WHEN said >= 1000 THEN 9 ELSE said / 100 END AS bin,
    COUNT(*), CAST(SUM(helped) AS BIGINT), CAST(SUM(said) AS BIGINT),
    CAST(SUM((said - 1000 * helped) * (said - 1000 * helped)) AS BIGINT)
FROM (
    SELECT spans.span, CASE spans.span WHEN 0 THEN 0 WHEN 1 THEN told.ended ELSE told.ended / 16 * 16 END AS day, told.cluster,
        told.model, told.workflow_id, told.signal_type, told.action_type, told.said, told.helped
    FROM (
        SELECT cluster, json_extract(subject, '$.model') AS model, COALESCE(workflow_id, '') AS workflow_id,
            json_extract(subject, '$.signal_type') AS signal_type, json_extract(subject, '$.action_type') AS action_type,
            CAST(ROUND(json_extract(subject, '$.confidence') * 1000) AS BIGINT) AS said,
            CASE assessment WHEN 'effective' THEN 1 ELSE 0 END AS helped, finished_at / 86400000 AS ended
        FROM executions
        WHERE stage = 'ended' AND assessment IN ('effective', 'ineffective') AND finished_at IS NOT NULL
            AND json_extract(subject, '$.model') IS NOT NULL AND json_extract(subject, '$.confidence') IS NOT NULL
    ) AS told
    CROSS JOIN (SELECT 0 AS span UNION ALL SELECT 1 UNION ALL SELECT 16) AS spans
) AS one
GROUP BY span, day, cluster, model, workflow_id, signal_type, action_type, CASE WHEN said >= 1000 THEN 9 ELSE said / 100 END;
