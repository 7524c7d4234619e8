-- Substrings of what executions and recommendations are searched by, indexed. Where this role may not create the extension, search
-- works without the index, and slower.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX executions_words ON executions USING gin (search gin_trgm_ops);
    CREATE INDEX recommendations_words ON recommendations USING gin (search gin_trgm_ops);
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
    RAISE NOTICE 'no index of substrings: %', SQLERRM;
END
$$;
