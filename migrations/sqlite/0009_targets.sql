-- The object that a run was about, as namespace/kind/name: what was done to it lately is shown before the next decision on it.
ALTER TABLE executions ADD COLUMN target TEXT NOT NULL DEFAULT '';

UPDATE executions
SET target = COALESCE(json_extract(subject, '$.resource.namespace'), '') || '/' || json_extract(subject, '$.resource.kind') || '/' || json_extract(subject, '$.resource.name')
WHERE json_extract(subject, '$.resource.name') IS NOT NULL;

CREATE INDEX executions_by_target ON executions (target, created_at, id);
