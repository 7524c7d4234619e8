-- The uid of the PipelineRun that was made, once it was seen: another object under the same name is another run.
ALTER TABLE executions ADD COLUMN run_uid TEXT COLLATE "C";
