-- Logs that are archived whole: nothing will be added to them.
CREATE TABLE log_ends (
    execution_id TEXT COLLATE "C" NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    task         TEXT COLLATE "C" NOT NULL,
    attempt      BIGINT NOT NULL,
    PRIMARY KEY (execution_id, task, attempt)
);

-- Of runs that had ended before this table was, nothing more is read.
INSERT INTO log_ends (execution_id, task, attempt)
SELECT DISTINCT l.execution_id, l.task, l.attempt
FROM log_lines l JOIN executions e ON e.id = l.execution_id
WHERE e.stage = 'ended';
