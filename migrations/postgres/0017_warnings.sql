-- What Kubernetes warned of while it went on: it forgets that after an hour. Null: nothing.
ALTER TABLE executions ADD COLUMN warnings TEXT; -- JSON, newest first
