//! People and tokens: signing in, turning a request's credentials into an identity, and (in `service`) changing them.

mod groups;
mod in_cluster;
pub mod oidc;
mod passwords;
mod service;
mod sessions;
mod tokens;
mod tries;

pub use in_cluster::{InCluster, NotIn};
pub use passwords::{check_password, hash_password, new_password};
pub use sessions::SignIn;
pub use tokens::{hash_secret, new_secret, new_session_secret};
pub use tries::NotTried;

use crate::{
    config::{Config, millis},
    edge::{SystemClock, UuidIds},
    services::store_fault,
};
use domain::{
    accounts::{MAX_NAME, Secret, effective},
    identity::{Actor, CallerSession, Role, SignInMethod},
    ports::{
        AccountStore, Clock, Ids, PasswordHash, ProviderStore, SessionLimits, SessionStore, StoreError, TryStore,
        UserRecord,
    },
    provider::Rules,
    services::ServiceError,
};
use std::{sync::Arc, time::Duration};
use store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Passwords that are checked at the same time: each takes a core and 19 MiB, and strangers may ask for it.
const AT_ONCE: usize = 2;
/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a password could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum Unchecked {
    /// Its turn did not come.
    #[error("too many people sign in at once; try again in a few seconds")]
    Busy,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Unchecked> for ServiceError {
    fn from(error: Unchecked) -> Self {
        match error {
            Unchecked::Busy => Self::Unavailable(error.to_string()),
            Unchecked::Store(error) => store_fault(error),
        }
    }
}

/// Accounts over their store.
#[derive(Clone)]
pub struct Accounts {
    store: Arc<dyn AccountStore>,
    sessions: Arc<dyn SessionStore>,
    tries: Arc<dyn TryStore>,
    limits: SessionLimits,
    /// How long ago a person at a browser may have proved who they are to change accounts, milliseconds.
    recent_ms: i64,
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
    /// The session by which they came; none for tokens.
    pub session: Option<CallerSession>,
    /// Whether that session's cookie was made when they might do something else than now.
    pub outdated: bool,
}

impl Identity {
    /// Of a token.
    fn of_token(actor: Actor, roles: Vec<Role>) -> Self {
        Self { actor, roles, session: None, outdated: false }
    }
}

impl Accounts {
    /// Over this store.
    fn new<S>(store: Arc<S>, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self
    where
        S: AccountStore + SessionStore + TryStore + 'static,
    {
        // A hash that can't be made matches nothing either.
        let decoy = hash_password("nobody has this password").unwrap_or_else(|_| PasswordHash(String::new()));
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let (sessions, tries) = (store.clone(), store.clone());
        Self {
            store,
            sessions,
            tries,
            limits: SessionLimits::default(),
            // Without settings every sign-in is too long ago.
            recent_ms: 0,
            clock,
            ids,
            decoy,
            turns,
            provider: None,
            local: true,
        }
    }

    /// As the settings have it, over this database.
    pub fn of(config: &Config, store: &Arc<Store>) -> Self {
        let accounts = Self::new(store.clone(), Arc::new(SystemClock), Arc::new(UuidIds));
        let provider = config.oidc.as_ref().map(|provider| {
            let store: Arc<dyn ProviderStore> = store.clone();
            Arc::new(Recognised { rules: provider.rules.clone(), store })
        });
        Self {
            provider,
            local: config.local_accounts,
            limits: config.session_limits(),
            recent_ms: millis(config.recent_sign_in),
            ..accounts
        }
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

    /// An account that may do something by now, with what that is. None when it is disabled, or nothing of its groups is left.
    async fn able(&self, user: UserRecord) -> Result<Option<UserRecord>, StoreError> {
        if user.disabled {
            return Ok(None);
        }
        if user.external.is_none() {
            return Ok(Some(user));
        }
        let user = self.by_now(user, &self.blocked().await?);
        Ok(Some(user).filter(|user| !user.roles.is_empty()))
    }

    /// The turn to work on a password; see [`turn_of`].
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Unchecked> {
        turn_of(&self.turns, PATIENCE).await
    }

    /// Whether the password is the hashed one; waits for its turn.
    async fn matches(&self, password: &str, hash: PasswordHash) -> Result<bool, Unchecked> {
        let turn = self.turn().await?;
        let password = password.to_owned();
        // The turn goes with the work, which goes on when whoever asked hangs up.
        let check = move || {
            let _turn = turn;
            check_password(&password, &hash)
        };
        tokio::task::spawn_blocking(check).await.map_err(|e| StoreError::Failed(e.to_string()).into())
    }

    /// Checks name and password, and begins a session: who it is, and what the browser gets to be known by. Takes the same time
    /// whether the name or the password is wrong, and says the same.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        by: &SignIn,
    ) -> Result<Option<(UserRecord, Secret)>, Unchecked> {
        let possible = name.chars().nth(MAX_NAME).is_none();
        let found = if possible { self.store.user_for_sign_in(name).await? } else { None };
        // Who signs in elsewhere has no password here; that must not be seen by the time, either.
        let found = found.filter(|(user, _)| self.local && user.external.is_none());
        let hash = found.as_ref().map_or_else(|| self.decoy.clone(), |(_, hash)| hash.clone());
        let matches = self.matches(password, hash).await?;
        let begun = match found.filter(|(user, _)| matches && !user.disabled) {
            Some((user, hash)) => {
                let secret = self.begin_session(&user, SignInMethod::Password, Some(hash), by).await?;
                secret.map(|secret| (user, secret))
            }
            None => None,
        };
        if begun.is_none() {
            tracing::info!(request_id = by.request_id, "a sign-in was refused");
            metrics::counter!("kubernaut_sign_ins_refused_total").increment(1);
        }
        Ok(begun)
    }

    /// The name of the account of this name, where there is one.
    pub async fn named(&self, name: &str) -> Option<String> {
        let possible = name.chars().nth(MAX_NAME).is_none();
        let found = if possible { self.store.user_for_sign_in(name).await.ok().flatten() } else { None };
        found.map(|(user, _)| user.name)
    }

    /// The person of this id, as of now; none where they may do nothing.
    async fn person(&self, id: &str) -> Result<Option<UserRecord>, StoreError> {
        match self.store.user(id).await? {
            Some(user) => self.able(user).await,
            None => Ok(None),
        }
    }

    /// The token that this secret belongs to. It may no more than its owner may by now.
    pub async fn bearer(&self, secret: &str) -> Result<Option<Identity>, StoreError> {
        if !tokens::possible(secret) {
            return Ok(None);
        }
        let Some(token) = self.store.token_by_hash(&hash_secret(secret)).await? else { return Ok(None) };
        let Some(owner) = &token.owner else { return Ok(Some(Identity::of_token(token.actor(None), token.roles))) };
        let Some(owner) = self.person(owner.as_str()).await? else { return Ok(None) };
        let roles = effective(&token.roles, &owner.roles);
        Ok(Some(Identity::of_token(token.actor(Some(&owner.name)), roles)))
    }
}

/// The next turn, for which one waits so long.
async fn turn_of(turns: &Arc<Semaphore>, patience: Duration) -> Result<OwnedSemaphorePermit, Unchecked> {
    match tokio::time::timeout(patience, turns.clone().acquire_owned()).await {
        Ok(Ok(turn)) => Ok(turn),
        _ => Err(Unchecked::Busy),
    }
}

#[cfg(test)]
mod tests {
    use super::{passwords::tests::checked, *};
    use domain::{identity::Way, ports::CameFrom};
    use store::{Options, sqlite_url};

    #[tokio::test]
    async fn whose_turn_does_not_come_is_told_so_and_nothing_of_the_database() {
        let turns = Arc::new(Semaphore::new(0));
        let waited = turn_of(&turns, Duration::from_millis(1)).await;
        assert!(matches!(waited, Err(Unchecked::Busy)), "{waited:?}");
        let told = ServiceError::from(Unchecked::Busy).to_string();
        assert!(told.contains("too many people sign in at once"), "{told}");
    }

    #[tokio::test]
    async fn an_unknown_name_costs_the_same_work_as_a_wrong_password() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(&sqlite_url(&data.path().join("console.sqlite")), Options::default()).await.unwrap();
        let accounts = Accounts::new(Arc::new(store.clone()), Arc::new(SystemClock), Arc::new(UuidIds));
        let hash = hash_password("the right password").unwrap();
        let audit = domain::audit::AuditEntry {
            actor: Actor::system("test"),
            way: Way::default(),
            route: "test".into(),
            action: "account.create".into(),
            object_kind: "account".into(),
            object_id: "mara".into(),
            before: None,
            after: None,
            reason: None,
            request_id: "r-1".into(),
        };
        store.create_user("user:mara", "mara", &[Role::Viewer], &hash, audit).await.unwrap();
        let by = SignIn {
            route: "test".into(),
            request_id: "r-2".into(),
            way: Way::default(),
            from: CameFrom::default(),
            replaces: None,
            id_token: None,
        };
        let long = "n".repeat(MAX_NAME + 1);
        for (name, password) in [("mara", "guess 1"), ("nobody", "guess 2"), (long.as_str(), "guess 3")] {
            assert!(accounts.sign_in(name, password, &by).await.unwrap().is_none(), "{name}");
            let hashes = checked(password);
            assert_eq!(hashes.len(), 1, "{name}: a password is checked once, whoever it is for");
            // Of the same cost: algorithm, version and parameters stand before the salt.
            let cost = |phc: &str| phc.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(cost(&hashes[0]), cost(&hash.0), "{name}");
        }
        assert!(accounts.sign_in("mara", "the right password", &by).await.unwrap().is_some());
    }
}
