-- Substrings of what executions and recommendations are searched by, indexed: what is rare, or not there, is found as fast among a
-- million as among a thousand. A row of its own number stands between the two, since SQLite may renumber rows without one.

CREATE TABLE execution_numbers (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE
);
CREATE VIRTUAL TABLE execution_words USING fts5 (search, content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1');

INSERT INTO execution_numbers (id) SELECT id FROM executions ORDER BY created_at;
INSERT INTO execution_words (rowid, search) SELECT n.number, t.search FROM execution_numbers n JOIN executions t ON t.id = n.id;

CREATE TRIGGER execution_written AFTER INSERT ON executions BEGIN
    INSERT INTO execution_numbers (id) VALUES (new.id);
    INSERT INTO execution_words (rowid, search) SELECT number, new.search FROM execution_numbers WHERE id = new.id;
END;
CREATE TRIGGER execution_gone AFTER DELETE ON executions BEGIN
    DELETE FROM execution_words WHERE rowid = (SELECT number FROM execution_numbers WHERE id = old.id);
    DELETE FROM execution_numbers WHERE id = old.id;
END;

CREATE TABLE recommendation_numbers (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE
);
CREATE VIRTUAL TABLE recommendation_words USING fts5 (search, content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1');

INSERT INTO recommendation_numbers (id) SELECT id FROM recommendations ORDER BY created_at;
INSERT INTO recommendation_words (rowid, search) SELECT n.number, t.search FROM recommendation_numbers n JOIN recommendations t ON t.id = n.id;

CREATE TRIGGER recommendation_written AFTER INSERT ON recommendations BEGIN
    INSERT INTO recommendation_numbers (id) VALUES (new.id);
    INSERT INTO recommendation_words (rowid, search) SELECT number, new.search FROM recommendation_numbers WHERE id = new.id;
END;
CREATE TRIGGER recommendation_gone AFTER DELETE ON recommendations BEGIN
    DELETE FROM recommendation_words WHERE rowid = (SELECT number FROM recommendation_numbers WHERE id = old.id);
    DELETE FROM recommendation_numbers WHERE id = old.id;
END;
