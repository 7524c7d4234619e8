-- Recommendations that are made of a run: to undo it, to repeat it, to go on from it. They stand beside the open one of their
-- incident; of one run one is open at a time.
ALTER TABLE recommendations ADD COLUMN of_run TEXT COLLATE "C"; -- the execution
ALTER TABLE recommendations ADD COLUMN of_way TEXT COLLATE "C"; -- to what end

DROP INDEX recommendations_open;
CREATE UNIQUE INDEX recommendations_open ON recommendations (cluster, incident_id) WHERE state = 'open' AND of_run IS NULL;
CREATE UNIQUE INDEX recommendations_open_of_run ON recommendations (of_run) WHERE state = 'open' AND of_run IS NOT NULL;
CREATE INDEX recommendations_of_run ON recommendations (of_run, created_at, id) WHERE of_run IS NOT NULL;

-- Runs that the console has looked at for what the policy lets it make of them by itself: each once, and in a line of runs that
-- began with the same one (its root) each way once.
CREATE TABLE recoveries (
    execution_id      TEXT COLLATE "C" PRIMARY KEY REFERENCES executions (id) ON DELETE CASCADE,
    root              TEXT COLLATE "C" NOT NULL,
    way               TEXT COLLATE "C" CHECK (way IN ('rollback', 'next_strategy')), -- null: nothing was made
    recommendation_id TEXT COLLATE "C",
    said              TEXT NOT NULL, -- for people
    looked_at         BIGINT NOT NULL
);

CREATE UNIQUE INDEX recoveries_once ON recoveries (root, way) WHERE way IS NOT NULL;
CREATE INDEX recoveries_by_recommendation ON recoveries (recommendation_id) WHERE recommendation_id IS NOT NULL;

-- What the object that a run acts on said before that run, for the parameters that set it back.
CREATE TABLE captures (
    execution_id TEXT COLLATE "C" PRIMARY KEY REFERENCES executions (id) ON DELETE CASCADE,
    content      TEXT NOT NULL, -- JSON
    captured_at  BIGINT NOT NULL
);

-- Findings as people work on them: what is noticed again counts on its card.
CREATE TABLE finding_cards (
    id                    TEXT COLLATE "C" PRIMARY KEY,
    identity              TEXT COLLATE "C" NOT NULL UNIQUE, -- what makes two findings one
    state                 TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'acknowledged', 'dismissed', 'resolved')),
    kind                  TEXT COLLATE "C" NOT NULL,
    severity              TEXT COLLATE "C",
    rank                  BIGINT NOT NULL,      -- of the severity: the graver the greater
    seen                  BIGINT NOT NULL,
    first_seen            BIGINT NOT NULL,
    last_seen             BIGINT NOT NULL,
    revision              BIGINT NOT NULL,
    turned_into           TEXT COLLATE "C",                 -- the recommendation
    triaged_by            TEXT,                 -- JSON: the actor
    triaged_at            BIGINT,
    reason                TEXT,
    search                TEXT NOT NULL,
    content               TEXT NOT NULL         -- JSON: as it was noticed last
);

CREATE INDEX finding_cards_by_state ON finding_cards (state, rank, last_seen, id);
CREATE INDEX finding_cards_by_rank ON finding_cards (rank, last_seen, id);

CREATE TABLE finding_sources (
    card_id           TEXT COLLATE "C" NOT NULL REFERENCES finding_cards (id) ON DELETE CASCADE,
    recommendation_id TEXT COLLATE "C" NOT NULL REFERENCES recommendations (id) ON DELETE CASCADE,
    noticed_at        BIGINT NOT NULL,
    PRIMARY KEY (card_id, recommendation_id)
);

CREATE INDEX finding_sources_by_recommendation ON finding_sources (recommendation_id);
