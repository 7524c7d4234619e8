-- What keeps runs apart: every object that a run acts on, as it is compared. What nobody says is empty and stands for any: a
-- run in a namespace without a name may act on all that is in it.
CREATE TABLE execution_targets (
    execution_id TEXT NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    namespace    TEXT NOT NULL, -- empty for what is in none, too
    kind         TEXT NOT NULL, -- in lower case
    name         TEXT NOT NULL,
    PRIMARY KEY (execution_id, namespace, kind, name)
) WITHOUT ROWID;

-- Runs from before have the one object that they were known by.
INSERT INTO execution_targets (execution_id, namespace, kind, name)
SELECT
    id,
    CASE WHEN kind IN ('node', 'namespace', 'persistentvolume') THEN '' ELSE namespace END,
    CASE WHEN kind = 'object' THEN '' ELSE kind END,
    name
FROM (
    SELECT
        id,
        COALESCE(json_extract(subject, '$.' || object || '.namespace'), '') AS namespace,
        LOWER(COALESCE(json_extract(subject, '$.' || object || '.kind'), '')) AS kind,
        COALESCE(json_extract(subject, '$.' || object || '.name'), '') AS name
    FROM (
        SELECT id, subject, CASE WHEN json_extract(subject, '$.acts_on.name') IS NULL THEN 'resource' ELSE 'acts_on' END AS object
        FROM executions
    ) AS found
) AS known;

UPDATE executions
SET target = (SELECT t.namespace || '/' || t.kind || '/' || t.name FROM execution_targets t WHERE t.execution_id = executions.id)
WHERE target <> '';
