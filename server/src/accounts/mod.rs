//! People and tokens: signing in, turning a request's credentials into an identity, and (in `service`) changing them.

mod groups;
pub mod oidc;
mod passwords;
mod service;
mod tokens;

pub use passwords::{check_password, hash_password, new_password};
pub use tokens::{hash_secret, new_secret};

use crate::{
    config::Config,
    edge::{SystemClock, UuidIds},
};
use domain::{
    accounts::{MAX_NAME, effective},
    audit::AuditEntry,
    identity::{Actor, Role, Way},
    ports::{AccountStore, Clock, Ids, PasswordHash, ProviderStore, StoreError, UserRecord},
    provider::Rules,
};
use std::{sync::Arc, time::Duration};
use store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Passwords that are checked at the same time: each takes a core and 19 MiB, and strangers may ask for it.
const AT_ONCE: usize = 2;
/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Accounts over their store.
#[derive(Clone)]
pub struct Accounts {
    store: Arc<dyn AccountStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    /// Checked against when there is no such account, so that the time does not tell.
    decoy: PasswordHash,
    turns: Arc<Semaphore>,
    /// How people of the provider are known here; none where there is no provider.
    provider: Option<Arc<Recognised>>,
    /// Whether people sign in with accounts of the console's own.
    local: bool,
}

/// What accounts of the provider's people are judged by, anew at each request.
struct Recognised {
    rules: Rules,
    store: Arc<dyn ProviderStore>,
}

/// Who a request is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The actor for decisions and the audit trail.
    pub actor: Actor,
    /// What they may do, as of now.
    pub roles: Vec<Role>,
}

impl Accounts {
    /// Over this store.
    fn new(store: Arc<dyn AccountStore>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        // A hash that can't be made matches nothing either.
        let decoy = hash_password("nobody has this password").unwrap_or_else(|_| PasswordHash(String::new()));
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Self { store, clock, ids, decoy, turns, provider: None, local: true }
    }

    /// As the settings have it, over this database.
    pub fn of(config: &Config, store: &Arc<Store>) -> Self {
        let accounts = Self::new(store.clone(), Arc::new(SystemClock), Arc::new(UuidIds));
        let provider = config.oidc.as_ref().map(|provider| {
            let store: Arc<dyn ProviderStore> = store.clone();
            Arc::new(Recognised { rules: provider.rules.clone(), store })
        });
        Self { provider, local: config.local_accounts, ..accounts }
    }

    /// Whether people sign in with accounts of the console's own.
    pub fn local(&self) -> bool {
        self.local
    }

    /// The blocked groups, where groups count at all.
    async fn blocked(&self) -> Result<Vec<String>, StoreError> {
        let Some(provider) = &self.provider else { return Ok(Vec::new()) };
        Ok(provider.store.blocked_groups().await?.into_iter().map(|group| group.name).collect())
    }

    /// An account with what it may by now: the provider's people have what their groups give them as things stand.
    fn by_now(&self, user: UserRecord, blocked: &[String]) -> UserRecord {
        let Some(from) = &user.external else { return user };
        let roles = self.provider.as_ref().map_or_else(Vec::new, |provider| provider.rules.roles(from, blocked));
        UserRecord { roles, ..user }
    }

    /// All accounts, with what they may by now.
    async fn all(&self) -> Result<Vec<UserRecord>, StoreError> {
        let (users, blocked) = (self.store.users().await?, self.blocked().await?);
        Ok(users.into_iter().map(|user| self.by_now(user, &blocked)).collect())
    }

    /// An account that may do something by now. None when it is disabled, or nothing of its groups is left.
    async fn able(&self, id: &str) -> Result<Option<UserRecord>, StoreError> {
        let Some(user) = self.store.user(id).await?.filter(|user| !user.disabled) else { return Ok(None) };
        if user.external.is_none() {
            return Ok(Some(user));
        }
        let user = self.by_now(user, &self.blocked().await?);
        Ok(Some(user).filter(|user| !user.roles.is_empty()))
    }

    /// The turn to work on a password.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        match tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(StoreError::Unavailable("too many sign-ins at once".into())),
        }
    }

    /// Whether the password is the hashed one; waits for its turn.
    async fn matches(&self, password: &str, hash: PasswordHash) -> Result<bool, StoreError> {
        let turn = self.turn().await?;
        let password = password.to_owned();
        // The turn goes with the work, which goes on when whoever asked hangs up.
        let check = move || {
            let _turn = turn;
            check_password(&password, &hash)
        };
        tokio::task::spawn_blocking(check).await.map_err(|e| StoreError::Failed(e.to_string()))
    }

    /// Checks name and password. Takes the same time whether the name or the password is wrong, and says the same.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        route: &str,
        request_id: &str,
        way: Way,
    ) -> Result<Option<UserRecord>, StoreError> {
        let possible = name.chars().nth(MAX_NAME).is_none();
        let found = if possible { self.store.user_for_sign_in(name).await? } else { None };
        // Who signs in elsewhere has no password here; that must not be seen by the time, either.
        let found = found.filter(|(user, _)| self.local && user.external.is_none());
        let hash = found.as_ref().map_or_else(|| self.decoy.clone(), |(_, hash)| hash.clone());
        let matches = self.matches(password, hash).await?;
        let Some((user, _)) = found.filter(|(user, _)| matches && !user.disabled) else {
            tracing::info!(request_id, "a sign-in was refused");
            metrics::counter!("kubernaut_sign_ins_refused_total").increment(1);
            return Ok(None);
        };
        let audit = AuditEntry {
            actor: user.actor(),
            way,
            route: route.to_owned(),
            action: "account.sign_in".into(),
            object_kind: "account".into(),
            object_id: user.name.clone(),
            before: None,
            after: None,
            reason: None,
            request_id: request_id.to_owned(),
        };
        self.store.signed_in(&user.id, audit).await?;
        Ok(Some(user))
    }

    /// The name of the account of this name, where there is one.
    pub async fn named(&self, name: &str) -> Option<String> {
        let possible = name.chars().nth(MAX_NAME).is_none();
        let found = if possible { self.store.user_for_sign_in(name).await.ok().flatten() } else { None };
        found.map(|(user, _)| user.name)
    }

    /// The person of a session, as of now: roles, disabling, blocked groups and switched off local accounts take effect at the
    /// next request.
    pub async fn person(&self, id: &str) -> Result<Option<Identity>, StoreError> {
        let user = self.able(id).await?.filter(|user| self.local || user.external.is_some());
        Ok(user.map(|u| Identity { actor: u.actor(), roles: u.roles }))
    }

    /// The token that this secret belongs to. It may no more than its owner may by now.
    pub async fn bearer(&self, secret: &str) -> Result<Option<Identity>, StoreError> {
        let Some(token) = self.store.token_by_hash(&hash_secret(secret)).await? else { return Ok(None) };
        let mut actor = token.actor();
        let Some(owner) = token.owner else { return Ok(Some(Identity { actor, roles: token.roles })) };
        let Some(owner) = self.able(owner.as_str()).await? else { return Ok(None) };
        // Whoever names a token must not choose under whose name it acts.
        actor.name = format!("{} (token {})", owner.name, token.name);
        Ok(Some(Identity { actor, roles: effective(&token.roles, &owner.roles) }))
    }
}
