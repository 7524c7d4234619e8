-- Incidents that somebody closed by hand. What their signals then still said is no all-clear: that they ended so is kept with each.
ALTER TABLE incidents ADD COLUMN closed TEXT;                   -- JSON: by, reason, at
ALTER TABLE signals ADD COLUMN closed BIGINT NOT NULL DEFAULT 0; -- 1: it ended with its incident
