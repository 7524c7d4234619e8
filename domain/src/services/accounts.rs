//! People and tokens, as pages and the command line may ask for them.

use super::Answer;
use crate::{
    accounts::{Secret, TokenStanding},
    identity::{Caller, Role},
    ports::{SessionRecord, TokenRecord, UserRecord},
    time::Timestamp,
};
use async_trait::async_trait;

/// Accounts and tokens. An account is named by its id (`user:…`) or its name.
#[async_trait]
pub trait AccountService: Send + Sync {
    /// All accounts, by name; needs `accounts:read`.
    async fn users(&self, caller: &Caller) -> Answer<Vec<UserRecord>>;
    /// The caller's own account; none where that is no person's.
    async fn own(&self, caller: &Caller) -> Answer<Option<UserRecord>>;
    /// Makes an account; needs `accounts:write`. Without a password one is made, and answered once.
    async fn create_user(
        &self,
        caller: &Caller,
        name: &str,
        roles: &[Role],
        password: Option<String>,
    ) -> Answer<Option<Secret>>;
    /// Sets roles; needs `accounts:write`. Nobody takes the role admin from themselves, nor from the last one who has it.
    async fn set_roles(&self, caller: &Caller, who: &str, roles: &[Role]) -> Answer<UserRecord>;
    /// Disables or enables, with all sessions and tokens; needs `accounts:write`. Nobody disables themselves, nor the last
    /// admin.
    async fn set_disabled(&self, caller: &Caller, who: &str, disabled: bool) -> Answer<UserRecord>;
    /// Sets somebody else's password and ends their sessions; needs `accounts:write`. Without a password one is made, and
    /// answered once.
    async fn reset_password(&self, caller: &Caller, who: &str, password: Option<String>) -> Answer<Option<Secret>>;
    /// Changes the caller's own password and ends their sessions but the one by which they ask. Any person; a token can't.
    async fn change_password(&self, caller: &Caller, old: &str, new: &str) -> Answer<()>;
    /// The caller's own live sessions, last used first. Any person.
    async fn sessions(&self, caller: &Caller) -> Answer<Vec<SessionView>>;
    /// Ends a session of the caller's own, by its id. Any person.
    async fn end_session(&self, caller: &Caller, id: &str) -> Answer<()>;
    /// Ends the caller's own sessions but the one by which they ask; how many. Any person.
    async fn end_other_sessions(&self, caller: &Caller) -> Answer<u64>;
    /// Ends all sessions of somebody; whose, and how many. Needs `accounts:write`.
    async fn end_sessions_of(&self, caller: &Caller, who: &str) -> Answer<(UserRecord, u64)>;
    /// The caller's own tokens, newest first; all of them with `accounts:read`.
    async fn tokens(&self, caller: &Caller) -> Answer<Vec<TokenView>>;
    /// Makes a token; its secret is answered once. One's own: any person. Nobody's: `accounts:write`.
    async fn create_token(&self, caller: &Caller, request: TokenRequest) -> Answer<MadeToken>;
    /// Revokes a live token by id or name: one's own, or any with `accounts:write`.
    async fn revoke_token(&self, caller: &Caller, token: &str) -> Answer<TokenRecord>;
    /// The provider's groups that give a role or are blocked, by name; none where there is no provider. Needs `accounts:read`.
    async fn groups(&self, caller: &Caller) -> Answer<Option<Vec<GroupView>>>;
    /// Shuts the people of a group out from their next request on, or lets them in again; needs `accounts:write`. Nobody blocks a
    /// group that they are in.
    async fn set_group_blocked(&self, caller: &Caller, group: &str, blocked: bool) -> Answer<()>;
}

/// A group of the provider, as far as it counts here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// Its name, with the prefix; [`crate::provider::EVERYBODY`] stands for everybody.
    pub name: String,
    /// What it gives.
    pub roles: Vec<Role>,
    /// How many accounts are in it.
    pub people: usize,
    /// Since when it is blocked, and by whom.
    pub blocked: Option<(Timestamp, String)>,
}

/// A session as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The session.
    pub session: SessionRecord,
    /// Whether they ask by it.
    pub here: bool,
}

/// A token that is wanted.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// A name for people; unique among live tokens.
    pub name: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Whose it is.
    pub owner: TokenOwner,
    /// How long it works, milliseconds; until it is revoked where none.
    pub lifetime_ms: Option<i64>,
}

/// Whose a token is to be. What it approves counts as its owner's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenOwner {
    /// The caller's own.
    Caller,
    /// A machine's, which stands for nobody. By a page it can't decide: what decides belongs to a person.
    Nobody,
    /// Of the account of this name: on the command line only. Whoever could make tokens of others could approve for them.
    Account(String),
}

/// A token that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeToken {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What its holder sends; shown once.
    pub secret: Secret,
}

/// A token as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenView {
    /// The token.
    pub token: TokenRecord,
    /// Its owner's name, where it is somebody's.
    pub owner: Option<String>,
    /// How it stands.
    pub standing: TokenStanding,
    /// Whether it is the caller's own.
    pub own: bool,
}
