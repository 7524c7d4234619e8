-- What a day came to, without what stands beside it: a trend is read from this alone.
CREATE INDEX rollups_by_day ON rollups
    (span, day, workflow_id, signal_type, runs, succeeded, effective, ineffective, inconclusive, not_assessed, recurred, said, said_milli);
