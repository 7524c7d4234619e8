//! People of the provider: their way in, and groups that are blocked.

use super::{StoreError, UserRecord};
use crate::{
    audit::AuditEntry,
    identity::Role,
    provider::{FederatedIdentity, Person, Refusal},
    time::Timestamp,
};
use async_trait::async_trait;

/// How long a sign-in may take from its beginning here to its end here, milliseconds.
pub const SIGN_IN_MS: i64 = 10 * 60 * 1000;

/// A sign-in that has begun: what the provider's answer is held against. Used once.
#[derive(Clone, PartialEq, Eq)]
pub struct BegunSignIn {
    /// The number that the ID token must name.
    pub nonce: String,
    /// What proves to the provider that it was begun here (PKCE, RFC 7636).
    pub verifier: String,
    /// The page to go on to.
    pub next: String,
}

impl std::fmt::Debug for BegunSignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BegunSignIn(…)")
    }
}

/// Somebody whom the provider knows, at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The id of their account, should it be their first time: `user:…`.
    pub id: String,
    /// Who they are.
    pub person: Person,
    /// What their groups give.
    pub roles: Vec<Role>,
}

/// A group whose people are not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedGroup {
    /// Its name, with the prefix.
    pub name: String,
    /// Since when.
    pub at: Timestamp,
    /// By whom: a name for people.
    pub by: String,
}

/// What an account of a provider may, by who it is there.
pub type RolesBy<'r> = &'r (dyn Fn(&FederatedIdentity) -> Vec<Role> + Send + Sync);

/// Sign-ins that are under way, accounts that come from the provider, and blocked groups.
#[async_trait]
pub trait ProviderStore: Send + Sync {
    /// Keeps a sign-in that begins, for [`SIGN_IN_MS`]. The two texts it is found by are hashed.
    async fn begin_sign_in(&self, state: &str, browser: &str, begun: BegunSignIn) -> Result<(), StoreError>;
    /// Takes it out: it is there once, in time, and for the browser that began it.
    async fn take_sign_in(&self, state: &str, browser: &str) -> Result<Option<BegunSignIn>, StoreError>;
    /// Lets somebody in by [`crate::provider::admitted`] or not, with the audit row of either. Their account is found by issuer
    /// and subject, made where there is none, and has their name, groups and roles afterwards; a name that is taken stays with
    /// whom it belongs to, unless that is a disabled account of the same provider.
    ///
    /// Of `entry` the actor, the action, the object and what came of it are filled in.
    async fn admit(&self, arrival: Arrival, entry: AuditEntry) -> Result<Result<UserRecord, Refusal>, StoreError>;
    /// Gives each account of a provider the roles that its groups give by now: settings change what counts, and nobody signs in for that.
    /// Each change is an audit row, of `entry` with the object and the roles filled in. How many there were.
    async fn judge_anew(&self, roles: RolesBy<'_>, entry: AuditEntry) -> Result<u64, StoreError>;
    /// All blocked groups, by name.
    async fn blocked_groups(&self) -> Result<Vec<BlockedGroup>, StoreError>;
    /// Blocks a group; `false` when it is blocked already.
    async fn block_group(&self, group: &str, audit: AuditEntry) -> Result<bool, StoreError>;
    /// Unblocks a group; `false` when it is not blocked.
    async fn unblock_group(&self, group: &str, audit: AuditEntry) -> Result<bool, StoreError>;
}
