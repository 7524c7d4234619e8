//! Sessions of browsers. Each is found by the hash of its cookie's value, and judged by the database's clock.

use super::{PasswordHash, StoreError, UserRecord};
use crate::{
    accounts::Secret,
    audit::AuditEntry,
    identity::{Role, SignInMethod},
    time::Timestamp,
};
use async_trait::async_trait;

/// How long a session lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Unused, milliseconds.
    pub idle_ms: i64,
    /// However much it is used, milliseconds.
    pub max_age_ms: i64,
}

impl SessionLimits {
    /// No session lives longer, whatever is set: milliseconds.
    pub const MOST_MS: i64 = 7 * 24 * 60 * 60 * 1000;
    /// Its use is noted at most so often, milliseconds.
    pub const NOTED_EVERY_MS: i64 = 60_000;
    /// The value that a cookie had lets in what was under way with it for so long, milliseconds.
    pub const LATE_MS: i64 = 10_000;
}

impl Default for SessionLimits {
    /// 30 minutes unused, 12 hours in all.
    fn default() -> Self {
        Self { idle_ms: 30 * 60 * 1000, max_age_ms: 12 * 60 * 60 * 1000 }
    }
}

/// Where a request came from, as far as that can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CameFrom {
    /// The address.
    pub address: Option<String>,
    /// What the browser calls itself (`User-Agent`).
    pub agent: Option<String>,
}

/// A session to be begun.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// `session:…`
    pub id: String,
    /// SHA-256 of the cookie's value, hexadecimal.
    pub secret_hash: String,
    /// Whose it is, `user:…`.
    pub user_id: String,
    /// By which way they proved who they are.
    pub method: SignInMethod,
    /// The password that was found to be theirs; none where another way proved it.
    pub password: Option<PasswordHash>,
    /// Where they signed in from.
    pub from: CameFrom,
    /// The hash of the session that the browser had until now: it ends.
    pub replaces: Option<String>,
    /// The ID token of a sign-in at the provider, for signing out there; empty where it is too long to be sent there.
    pub id_token: Option<Secret>,
}

/// A session as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// `session:…`; stays when the cookie's value changes.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// By which way they last proved who they are.
    pub method: SignInMethod,
    /// Since when.
    pub began_at: Timestamp,
    /// When they last proved who they are.
    pub authenticated_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Timestamp,
    /// Where they signed in from.
    pub from: CameFrom,
}

/// A session that a request came by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveSession {
    /// It.
    pub session: SessionRecord,
    /// Whose it is, as of now.
    pub user: UserRecord,
    /// The roles under which its cookie's value was made: when they are others by now, it gets another value.
    pub made_under: Vec<Role>,
    /// Whether it was found by the value that its cookie had until a moment ago. Then `made_under` and the time of the last sign-in are
    /// those of that value: whoever has it gets nothing by the new one.
    pub late: bool,
    /// The database's time.
    pub now: Timestamp,
}

/// That somebody has proved once more who they are.
#[derive(Clone, Debug)]
pub struct Reauthentication {
    /// By which way.
    pub method: SignInMethod,
    /// The password that was found to be theirs; none where another way proved it.
    pub password: Option<PasswordHash>,
    /// The hash of the session's cookie from now on.
    pub new_hash: String,
}

/// What becomes of the value that a session's cookie had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldCookie {
    /// It lets in what is under way with it, for [`SessionLimits::LATE_MS`].
    Lingers,
    /// It is worth nothing from now on: somebody else may have it.
    Ends,
}

/// Which sessions of a person end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending<'a> {
    /// All.
    All,
    /// The one of this id.
    One(&'a str),
    /// All but the one of this id.
    AllBut(&'a str),
}

/// Sessions.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Notes a sign-in and begins its session, with the audit row; `false`, and nothing of it, when the account is disabled, or has
    /// another password by now than the one that was found to be theirs.
    async fn begin_session(&self, new: NewSession, audit: AuditEntry) -> Result<bool, StoreError>;
    /// The session of this hash, while it lives and its account is not disabled; also by the hash that it had before, for
    /// [`SessionLimits::LATE_MS`]. Where it is `used` that is noted, at most once a minute.
    async fn session(
        &self,
        secret_hash: &str,
        limits: SessionLimits,
        used: bool,
    ) -> Result<Option<LiveSession>, StoreError>;
    /// Gives a session another cookie's value, made under these roles; `false` when there is none of the old one, also where that has
    /// been replaced a moment ago.
    async fn renew_session(
        &self,
        secret_hash: &str,
        new_hash: &str,
        roles: &[Role],
        old: OldCookie,
    ) -> Result<bool, StoreError>;
    /// Notes that whose session this is has proved once more who they are, with the audit row; `false`, and nothing of it, when it has
    /// ended, has another cookie's value by now, its account is disabled, or has another password than the one that was found to be
    /// theirs. The old value lingers.
    async fn reauthenticate_session(
        &self,
        secret_hash: &str,
        again: Reauthentication,
        audit: AuditEntry,
    ) -> Result<bool, StoreError>;
    /// The ID token that is kept with a session, found by either value of its cookie, where its person signed in at the provider.
    async fn id_token(&self, secret_hash: &str) -> Result<Option<Secret>, StoreError>;
    /// Ends a session, by either value of its cookie, with the audit row; `false` when there is none.
    async fn end_session(&self, secret_hash: &str, audit: AuditEntry) -> Result<bool, StoreError>;
    /// The live sessions of a person, last used first.
    async fn sessions_of(&self, user_id: &str, limits: SessionLimits) -> Result<Vec<SessionRecord>, StoreError>;
    /// Ends sessions of a person, with the audit row where there were any; how many.
    async fn end_sessions(&self, user_id: &str, which: Ending<'_>, audit: AuditEntry) -> Result<u64, StoreError>;
}
