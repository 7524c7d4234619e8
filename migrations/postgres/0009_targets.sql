-- The object that a run was about, as namespace/kind/name: what was done to it lately is shown before the next decision on it.
ALTER TABLE executions ADD COLUMN target TEXT COLLATE "C" NOT NULL DEFAULT '';

UPDATE executions
SET target = COALESCE((subject::json -> 'resource' ->> 'namespace'), '') || '/' || (subject::json -> 'resource' ->> 'kind') || '/' || (subject::json -> 'resource' ->> 'name')
WHERE (subject::json -> 'resource' ->> 'name') IS NOT NULL;

CREATE INDEX executions_by_target ON executions (target, created_at, id);
