-- When the incident began, where the alert said so: the time until it is recommended what to do counts from then on.
ALTER TABLE recommendations ADD COLUMN incident_at BIGINT;

-- What ended last, whenever it began.
CREATE INDEX executions_by_end ON executions (finished_at, id) WHERE stage = 'ended';
