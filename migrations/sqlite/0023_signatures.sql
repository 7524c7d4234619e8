-- Who signed which image, as it was last found out: of playbooks' images and of those of proposed steps. Pages read this and ask no registry.
-- What was found out under other settings than the row's `trust` is not known. `playbook_versions.signed` is not read any more.
CREATE TABLE image_signatures (
    image      TEXT NOT NULL PRIMARY KEY, -- with its digest, as playbook versions and steps name it
    state      TEXT NOT NULL CHECK (state IN ('verified', 'untrusted', 'missing', 'unknown')),
    checked_at BIGINT,                -- null: nobody has looked yet
    used_at    BIGINT NOT NULL,       -- when it was last registered or proposed
    trust      TEXT NOT NULL,      -- names the settings under which it was found out
    content    TEXT NOT NULL          -- JSON: state, signer, detail, time
);

-- Whether the policy asked for a signature of each image when this was approved: asked again when it starts.
ALTER TABLE executions ADD COLUMN signed BIGINT NOT NULL DEFAULT 0;
