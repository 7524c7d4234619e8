-- Which database this is, for consoles that meet in one namespace of a cluster: one row, made here once. A copy of the database has the same.
CREATE TABLE installation (
    id TEXT PRIMARY KEY
);

INSERT INTO installation (id) VALUES (replace(gen_random_uuid()::text, '-', ''));
