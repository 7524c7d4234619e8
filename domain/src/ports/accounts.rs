//! People, their passwords, and tokens.

use super::StoreError;
use crate::{
    audit::AuditEntry,
    identity::{Actor, Role},
    ids::ActorId,
    provider::FederatedIdentity,
    time::Timestamp,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// A password as stored: the PHC string of argon2id. Never shown.
#[derive(Clone)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// An account: the console's own, or of a person who signs in at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserRecord {
    /// `user:…`
    pub id: String,
    /// The name to sign in with; unique.
    pub name: String,
    /// What they may do. Of an external account: as of its last sign-in; what it may now is for [`crate::provider::Rules`] to say.
    pub roles: Vec<Role>,
    /// Whether signing in is refused.
    pub disabled: bool,
    /// Since when.
    pub created_at: Timestamp,
    /// When they last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// Where it comes from; none for the console's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<FederatedIdentity>,
}

impl TokenRecord {
    /// This token as an actor; `owner` is its owner's name, where it is somebody's.
    pub fn actor(&self, owner: Option<&str>) -> Actor {
        let name = crate::accounts::acts_as(&self.name, owner);
        Actor { owner: self.owner.clone(), ..Actor::new(ActorId::new(self.id.clone()), name) }
    }
}

impl UserRecord {
    /// This person as an actor.
    pub fn actor(&self) -> Actor {
        Actor::new(ActorId::new(self.id.clone()), self.name.clone())
    }
}

/// What became of a change to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// It is made.
    Done,
    /// There is no such account.
    NotFound,
    /// They are the last active admin; nothing was changed.
    LastAdmin,
}

/// A token to be stored; the secret itself is shown once and never stored.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// `token:…`
    pub id: String,
    /// A name for people; unique among live tokens.
    pub name: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The person whose token it is; none where the command line made it for nobody.
    pub owner: Option<ActorId>,
    /// SHA-256 of the secret, hexadecimal.
    pub secret_hash: String,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// A stored token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenRecord {
    /// `token:…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The person whose token it is, if it is somebody's.
    pub owner: Option<ActorId>,
    /// Since when.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Accounts and tokens.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Whether there is any account at all.
    async fn is_empty(&self) -> Result<bool, StoreError>;
    /// Creates an account; `false` when the name is taken.
    async fn create_user(
        &self,
        id: &str,
        name: &str,
        roles: &[Role],
        password: &PasswordHash,
        audit: AuditEntry,
    ) -> Result<bool, StoreError>;
    /// All accounts, by name.
    async fn users(&self) -> Result<Vec<UserRecord>, StoreError>;
    /// An account by its id.
    async fn user(&self, id: &str) -> Result<Option<UserRecord>, StoreError>;
    /// An account with its password, by its name. That of an external account is empty and fits nothing.
    async fn user_for_sign_in(&self, name: &str) -> Result<Option<(UserRecord, PasswordHash)>, StoreError>;
    /// Sets roles. With `keeps_admin` not where nobody else would be an active admin then, whoever changes accounts at the same moment.
    async fn set_roles(
        &self,
        name: &str,
        roles: &[Role],
        keeps_admin: bool,
        audit: AuditEntry,
    ) -> Result<AccountChange, StoreError>;
    /// Disables, which ends all sessions, or enables; `keeps_admin` as for roles.
    async fn set_disabled(
        &self,
        name: &str,
        disabled: bool,
        keeps_admin: bool,
        audit: AuditEntry,
    ) -> Result<AccountChange, StoreError>;
    /// Sets the password, ends all sessions but the `spared` one, whose person has just shown that they know the old one, and forgets
    /// the browsers that were known; `false` when there is no such account.
    async fn set_password(
        &self,
        name: &str,
        password: &PasswordHash,
        spared: Option<&str>,
        audit: AuditEntry,
    ) -> Result<bool, StoreError>;
    /// Creates a token; `false` when a live one has that name.
    async fn create_token(&self, token: NewToken, audit: AuditEntry) -> Result<bool, StoreError>;
    /// All tokens, newest first.
    async fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError>;
    /// The live token (not revoked, not expired by the database's clock, its owner not disabled) of this secret's hash; notes
    /// its use at most once a minute.
    async fn token_by_hash(&self, secret_hash: &str) -> Result<Option<TokenRecord>, StoreError>;
    /// Revokes by name or id; `false` when there is no such live token.
    async fn revoke_token(&self, name_or_id: &str, audit: AuditEntry) -> Result<bool, StoreError>;
}
