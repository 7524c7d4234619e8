-- What playbooks are found by: the words of what a model may see of them, cut and lowered by the console. It fills in those of versions
-- from before when it starts.
CREATE TABLE playbook_texts (
    number      INTEGER PRIMARY KEY,
    workflow_id TEXT NOT NULL,
    version     TEXT NOT NULL,
    name        TEXT NOT NULL, -- of id and title
    labels      TEXT NOT NULL, -- of labels and tags
    body        TEXT NOT NULL, -- of the description
    UNIQUE (workflow_id, version),
    FOREIGN KEY (workflow_id, version) REFERENCES playbook_versions (workflow_id, version) ON DELETE CASCADE
);

CREATE VIRTUAL TABLE playbook_words USING fts5 (
    name, labels, body, content = 'playbook_texts', content_rowid = 'number', tokenize = 'porter unicode61 remove_diacritics 0'
);
INSERT INTO playbook_words (playbook_words, rank) VALUES ('rank', 'bm25(8.0, 4.0, 1.0)');

CREATE TRIGGER playbook_text_written AFTER INSERT ON playbook_texts BEGIN
    INSERT INTO playbook_words (rowid, name, labels, body) VALUES (new.number, new.name, new.labels, new.body);
END;
CREATE TRIGGER playbook_text_gone AFTER DELETE ON playbook_texts BEGIN
    INSERT INTO playbook_words (playbook_words, rowid, name, labels, body) VALUES ('delete', old.number, old.name, old.labels, old.body);
END;

ALTER TABLE playbook_versions DROP COLUMN search;
CREATE INDEX playbook_versions_signal ON playbook_versions (signal_type, workflow_id);

-- What the words mean to a model of embeddings: a vector of length 1 for each version and model.
CREATE TABLE playbook_vectors (
    workflow_id TEXT NOT NULL,
    version     TEXT NOT NULL,
    model       TEXT NOT NULL, -- its name and, where it is a directory, the digest of its weights
    vector      TEXT NOT NULL, -- hexadecimal: 32-bit floats, the lowest byte first
    PRIMARY KEY (model, workflow_id, version),
    FOREIGN KEY (workflow_id, version) REFERENCES playbook_versions (workflow_id, version) ON DELETE CASCADE
) WITHOUT ROWID;

-- RemediationWorkflows whose version the catalog has: one that is not there any more was deleted, also while no console ran.
CREATE TABLE playbook_objects (
    cluster     TEXT NOT NULL,
    name        TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    version     TEXT NOT NULL,
    PRIMARY KEY (cluster, name),
    FOREIGN KEY (workflow_id, version) REFERENCES playbook_versions (workflow_id, version) ON DELETE CASCADE
);
