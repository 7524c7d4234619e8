-- Which database this is, for consoles that meet in one namespace of a cluster: one row, made here once. A copy of the database has the same.
CREATE TABLE installation (
    id TEXT PRIMARY KEY
) WITHOUT ROWID;

INSERT INTO installation (id) VALUES (lower(hex(randomblob(16))));
