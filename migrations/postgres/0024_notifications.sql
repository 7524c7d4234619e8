-- Notifications, one for each receiver: written with what they tell of, and kept until the receiver has them.
CREATE TABLE notifications (
    id            TEXT COLLATE "C" PRIMARY KEY, -- the event's id and the receiver's name: nobody is told the same twice
    event_id      TEXT NOT NULL,           -- the same for all receivers
    receiver      TEXT COLLATE "C" NOT NULL,
    occasion      TEXT NOT NULL CHECK (occasion IN ('new', 'expiring', 'decided', 'test')),
    notice        TEXT NOT NULL,           -- JSON: what is told
    state         TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead', 'discarded')),
    attempts      BIGINT NOT NULL,         -- since it last began to wait
    created_at    BIGINT NOT NULL,
    due_at        BIGINT NOT NULL,
    claim         TEXT,                    -- whose try goes on
    claimed_until BIGINT NOT NULL,         -- it is nobody else's before
    tried_at      BIGINT,                  -- when the last try ended
    reason        TEXT                     -- why it came to nothing
);

CREATE INDEX notifications_due ON notifications (receiver, due_at, id) WHERE state = 'waiting';
CREATE INDEX notifications_newest ON notifications (created_at, id);
CREATE INDEX notifications_by_state ON notifications (state, created_at, id);
CREATE INDEX notifications_delivered ON notifications (receiver, tried_at) WHERE state = 'delivered';

-- When receivers were told that its time is soon over: once.
ALTER TABLE recommendations ADD COLUMN expiring_noted_at BIGINT;
