-- What playbooks are found by: the words of what a model may see of them, cut and lowered by the console. It fills in those of versions
-- from before when it starts.

-- English without its list of empty words: which words are empty the console says, for both databases alike.
CREATE TEXT SEARCH DICTIONARY kubernaut_stem (TEMPLATE = pg_catalog.snowball, LANGUAGE = english);
CREATE TEXT SEARCH CONFIGURATION kubernaut (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION kubernaut
    ALTER MAPPING FOR asciiword, word, numword, asciihword, hword, numhword, hword_asciipart, hword_part, hword_numpart
    WITH kubernaut_stem;

CREATE TABLE playbook_texts (
    number      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow_id TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL,
    name        TEXT NOT NULL, -- of id and title
    labels      TEXT NOT NULL, -- of labels and tags
    body        TEXT NOT NULL, -- of the description
    words       TSVECTOR NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('kubernaut', name), 'A') || setweight(to_tsvector('kubernaut', labels), 'B')
        || setweight(to_tsvector('kubernaut', body), 'D')
    ) STORED,
    UNIQUE (workflow_id, version),
    FOREIGN KEY (workflow_id, version) REFERENCES playbook_versions (workflow_id, version) ON DELETE CASCADE
);
CREATE INDEX playbook_texts_words ON playbook_texts USING gin (words);

ALTER TABLE playbook_versions DROP COLUMN search;
CREATE INDEX playbook_versions_signal ON playbook_versions (signal_type, workflow_id);

-- What the words mean to a model of embeddings: a vector of length 1 for each version and model.
CREATE TABLE playbook_vectors (
    workflow_id TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL,
    model       TEXT COLLATE "C" NOT NULL, -- its name and, where it is a directory, the digest of its weights
    vector      TEXT NOT NULL,             -- hexadecimal: 32-bit floats, the lowest byte first
    PRIMARY KEY (model, workflow_id, version),
    FOREIGN KEY (workflow_id, version) REFERENCES playbook_versions (workflow_id, version) ON DELETE CASCADE
);

-- RemediationWorkflows whose version the catalog has: one that is not there any more was deleted, also while no console ran.
CREATE TABLE playbook_objects (
    cluster     TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    workflow_id TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (cluster, name),
    FOREIGN KEY (workflow_id, version) REFERENCES playbook_versions (workflow_id, version) ON DELETE CASCADE
);
