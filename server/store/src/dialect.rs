//! Everything in which the two databases differ, and nothing else: the rest of the store is one text of SQL for both.
//! Knows no table.

use sqlx::migrate::Migrator;

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Milliseconds since 1970 by the database's clock; the same value everywhere in one statement.
    pub(crate) const fn now(self) -> &'static str {
        match self {
            Self::Sqlite => "CAST(ROUND(unixepoch('subsec') * 1000) AS BIGINT)",
            Self::Postgres => "CAST(FLOOR(EXTRACT(EPOCH FROM statement_timestamp()) * 1000) AS BIGINT)",
        }
    }

    /// The same clock, read when the row is: after a wait for its lock. SQLite only waits when a transaction begins.
    pub(crate) const fn clock(self) -> &'static str {
        match self {
            Self::Sqlite => self.now(),
            Self::Postgres => "CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT)",
        }
    }

    /// Begins a transaction that writes. SQLite takes its one write lock at once: a transaction that read first and then
    /// found another writer could only fail.
    pub(crate) const fn begin_write(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// After a selection of what is to be changed: passes over rows that others are changing. SQLite has one writer.
    pub(crate) const fn skip_taken(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Begins a transaction in which all reads see one state of the database.
    pub(crate) const fn begin_read(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Ends a `SELECT` of rows that the statement around it deletes: those that another transaction has locked are passed over. SQLite has
    /// one writer.
    pub(crate) const fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// What a new connection is told.
    ///
    /// SQLite: readers never wait in WAL mode; `synchronous = FULL` because in WAL mode `NORMAL` may lose the last commits
    /// with the power, and a decision whose run has begun must not be forgotten.
    pub(crate) const fn on_connect(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA foreign_keys = ON"
            }
            Self::Postgres => "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'",
        }
    }

    /// What a new connection that only reads is told in addition.
    pub(crate) const fn on_connect_reader(self) -> &'static str {
        match self {
            Self::Sqlite => "PRAGMA query_only = ON",
            Self::Postgres => "",
        }
    }

    /// Whether all writes go through one connection: SQLite has one writer at a time, and waiting for it in the pool's
    /// queue is fair and wakes at once, where its own busy handler sleeps and guesses.
    pub(crate) const fn one_writer(self) -> bool {
        matches!(self, Self::Sqlite)
    }

    /// Whether other replicas may write live events to the same database.
    pub(crate) const fn shared(self) -> bool {
        matches!(self, Self::Postgres)
    }

    /// The migrations; the same versions for both.
    pub(crate) fn migrations(self) -> &'static Migrator {
        match self {
            Self::Sqlite => &SQLITE_MIGRATIONS,
            Self::Postgres => &POSTGRES_MIGRATIONS,
        }
    }

    /// Inside a writing transaction: lets one process at a time migrate. SQLite's transaction is that lock already.
    pub(crate) const fn migration_lock(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT 1",
            Self::Postgres => "SELECT pg_advisory_xact_lock(1801547381)",
        }
    }

    /// The numbers of the texts of playbooks that have some words, in no order, and how good each is (the lower the better): before and
    /// after the words.
    pub(crate) const fn found_texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => {
                ("SELECT rowid AS number, rank AS best FROM playbook_words WHERE playbook_words MATCH ", "")
            }
            Self::Postgres => (
                "SELECT f.number, -ts_rank('{0.1, 0.2, 0.5, 1.0}', f.words, q.words) AS best \
                 FROM playbook_texts f, (SELECT to_tsquery('kubernaut', ",
                ") AS words) AS q WHERE f.words @@ q.words",
            ),
        }
    }

    /// The condition that the text `t` of a playbook has some words: before and after them.
    pub(crate) const fn text_matches(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => ("t.number IN (SELECT rowid FROM playbook_words WHERE playbook_words MATCH ", ")"),
            Self::Postgres => ("t.words @@ to_tsquery('kubernaut', ", ")"),
        }
    }

    /// A word in a question to texts; with those that begin with it.
    pub(crate) fn word(self, word: &str, and_longer: bool) -> String {
        match (self, and_longer) {
            (Self::Sqlite, false) => format!("\"{word}\""),
            (Self::Sqlite, true) => format!("\"{word}\"*"),
            (Self::Postgres, false) => format!("'{word}'"),
            (Self::Postgres, true) => format!("'{word}':*"),
        }
    }

    /// Between words all of which are asked for.
    pub(crate) const fn all_words(self) -> &'static str {
        match self {
            Self::Sqlite => " AND ",
            Self::Postgres => " & ",
        }
    }

    /// Between words any of which is asked for.
    pub(crate) const fn any_word(self) -> &'static str {
        match self {
            Self::Sqlite => " OR ",
            Self::Postgres => " | ",
        }
    }

    /// A join that reads what stands before it first. PostgreSQL finds that out by itself.
    pub(crate) const fn join_in_order(self) -> &'static str {
        match self {
            Self::Sqlite => " CROSS JOIN ",
            Self::Postgres => " JOIN ",
        }
    }
}
