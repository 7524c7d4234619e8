-- By when somebody has to begin with it: its deadline and its risk in one number (`Recommendation::begin_by`), in the order of which
-- open ones are listed. What is open at this moment keeps its deadline alone; it runs out in minutes.
ALTER TABLE recommendations ADD COLUMN begin_by BIGINT NOT NULL DEFAULT 0;
UPDATE recommendations SET begin_by = expires_at;
CREATE INDEX recommendations_by_urgency ON recommendations (state, begin_by, id);
