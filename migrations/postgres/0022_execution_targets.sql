-- What keeps runs apart: every object that a run acts on, as it is compared. What nobody says is empty and stands for any: a
-- run in a namespace without a name may act on all that is in it.
CREATE TABLE execution_targets (
    execution_id TEXT COLLATE "C" NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    namespace    TEXT COLLATE "C" NOT NULL, -- empty for what is in none, too
    kind         TEXT COLLATE "C" NOT NULL, -- in lower case
    name         TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (execution_id, namespace, kind, name)
);

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
        COALESCE((subject::json -> object) ->> 'namespace', '') AS namespace,
        LOWER(COALESCE((subject::json -> object) ->> 'kind', '')) AS kind,
        COALESCE((subject::json -> object) ->> 'name', '') AS name
    FROM (
        SELECT id, subject, CASE WHEN (subject::json -> 'acts_on') ->> 'name' IS NULL THEN 'resource' ELSE 'acts_on' END AS object
        FROM executions
    ) AS found
) AS known;

UPDATE executions
SET target = (SELECT t.namespace || '/' || t.kind || '/' || t.name FROM execution_targets t WHERE t.execution_id = executions.id)
WHERE target <> '';
