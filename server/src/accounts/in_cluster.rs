//! Callers from the cluster, by their Kubernetes token: the cluster says whose it is, the settings say what they may. What it said is
//! remembered for a moment by the token's hash, so that a busy agent does not become a burden for the API server; and whoever sends
//! tokens that are none becomes none either.

use super::{Identity, hash_secret};
use domain::{
    ports::{Cluster, ClusterError, ClusterUser},
    token_review::{ClusterRoles, actor},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// How long it is remembered whose a token is: so long a token works on that was taken away.
const REMEMBERED: Duration = Duration::from_secs(30);
/// How long it is remembered that a token is nobody's.
const NOBODYS: Duration = Duration::from_secs(10);
/// The most tokens that are remembered of those that let somebody in, and as many of the others.
const MOST: usize = 4096;
/// Questions to the cluster at the same time.
const AT_ONCE: usize = 4;
/// How long a caller waits for their turn to be asked about.
const PATIENCE: Duration = Duration::from_secs(5);

/// Callers from the cluster.
#[derive(Clone)]
pub struct InCluster(Arc<Inner>);

struct Inner {
    roles: ClusterRoles,
    audience: String,
    cluster: Arc<OnceLock<Arc<dyn Cluster>>>,
    let_in: Mutex<Memory>,
    /// Apart from them: what strangers send must not push out whose tokens are good.
    turned_away: Mutex<Memory>,
    turns: Semaphore,
}

/// Tokens by their hash.
type Memory = HashMap<String, Known>;

/// Whose a token is, as the cluster said then.
#[derive(Clone)]
struct Known {
    user: Option<ClusterUser>,
    until: Instant,
}

/// Why a token of the cluster does not let anybody in.
#[derive(Debug, PartialEq, Eq)]
pub enum NotIn {
    /// The cluster does not know it, or it was made for somebody else.
    Unknown,
    /// The settings give this user no role.
    NoRole(String),
    /// The cluster does not say whose it is; the words are for the log.
    Unavailable(String),
}

impl InCluster {
    /// With these roles, for tokens that were made for this audience.
    pub fn new(roles: ClusterRoles, audience: String, cluster: Arc<OnceLock<Arc<dyn Cluster>>>) -> Self {
        let (let_in, turned_away, turns) = (Mutex::default(), Mutex::default(), Semaphore::new(AT_ONCE));
        Self(Arc::new(Inner { roles, audience, cluster, let_in, turned_away, turns }))
    }

    /// Whether anybody of the cluster may call at all.
    pub fn is_on(&self) -> bool {
        !self.0.roles.is_empty()
    }

    /// Who comes with this token.
    pub async fn bearer(&self, token: &str) -> Result<Identity, NotIn> {
        let user = self.user(token).await?.ok_or(NotIn::Unknown)?;
        match self.0.roles.of(&user) {
            Some(role) => Ok(Identity::of_token(actor(&user), vec![role])),
            None => Err(NotIn::NoRole(user.username)),
        }
    }

    /// Whether it is known without asking the cluster whose this token is, or that it is nobody's.
    pub fn remembers(&self, token: &str) -> bool {
        self.remembered(&hash_secret(token)).is_some()
    }

    async fn user(&self, token: &str) -> Result<Option<ClusterUser>, NotIn> {
        let hash = hash_secret(token);
        if let Some(known) = self.remembered(&hash) {
            return Ok(known);
        }
        let turn = tokio::time::timeout(PATIENCE, self.0.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(NotIn::Unavailable("too many tokens at once".into())) };
        // Somebody may have asked about it in the meantime.
        if let Some(known) = self.remembered(&hash) {
            return Ok(known);
        }
        let cluster = self.0.cluster.get().ok_or_else(|| NotIn::Unavailable("not connected yet".into()))?;
        let user = cluster.whose_token(token, &self.0.audience).await;
        let user = user.map_err(|error: ClusterError| NotIn::Unavailable(error.to_string()))?;
        self.remember(hash, user.clone());
        Ok(user)
    }

    /// What is remembered of this token, where that is not too long ago.
    #[expect(clippy::option_option, reason = "not remembered, remembered as nobody's, remembered as somebody's")]
    fn remembered(&self, hash: &str) -> Option<Option<ClusterUser>> {
        let now = Instant::now();
        [true, false].into_iter().find_map(|let_in| {
            let memory = self.memory(let_in);
            memory.get(hash).filter(|known| known.until > now).map(|known| known.user.clone())
        })
    }

    fn remember(&self, hash: String, user: Option<ClusterUser>) {
        let now = Instant::now();
        // One account of the cluster has as many tokens as it asks for: those without a role are strangers', too.
        let let_in = user.as_ref().is_some_and(|user| self.0.roles.of(user).is_some());
        let mut known = self.memory(let_in);
        if known.len() >= MOST {
            known.retain(|_, known| known.until > now);
        }
        if known.len() >= MOST {
            known.clear();
        }
        let until = now + if user.is_some() { REMEMBERED } else { NOBODYS };
        known.insert(hash, Known { user, until });
    }

    fn memory(&self, let_in: bool) -> MutexGuard<'_, Memory> {
        let memory = if let_in { &self.0.let_in } else { &self.0.turned_away };
        memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::tests::TestCluster;
    use domain::identity::Role;

    fn callers(cluster: &Arc<TestCluster>) -> InCluster {
        let roles = "system:serviceaccount:ai:agent=propose, system:serviceaccounts:ops=viewer".parse().unwrap();
        let cell: OnceLock<Arc<dyn Cluster>> = OnceLock::new();
        let _ = cell.set(cluster.clone());
        InCluster::new(roles, "kubernaut-console".into(), Arc::new(cell))
    }

    #[tokio::test]
    async fn a_token_is_asked_about_once_in_a_while_and_each_by_itself() {
        let cluster = Arc::new(TestCluster::default());
        cluster.knows("eyJ.agent.x", "system:serviceaccount:ai:agent", &["system:serviceaccounts:ai"]);
        cluster.knows("eyJ.stranger.x", "system:serviceaccount:other:pod", &["system:serviceaccounts:other"]);
        let callers = callers(&cluster);
        for _ in 0..3 {
            let identity = callers.bearer("eyJ.agent.x").await.unwrap();
            assert_eq!(identity.roles, [Role::Propose]);
            assert_eq!(identity.actor.id.as_str(), "cluster:system:serviceaccount:ai:agent");
            assert_eq!(identity.session, None);
        }
        assert_eq!(cluster.asked(), ["eyJ.agent.x"], "remembered");
        for _ in 0..2 {
            assert_eq!(callers.bearer("eyJ.nobody.x").await, Err(NotIn::Unknown));
            let stranger = callers.bearer("eyJ.stranger.x").await;
            assert_eq!(stranger, Err(NotIn::NoRole("system:serviceaccount:other:pod".into())));
        }
        assert_eq!(cluster.asked().len(), 3, "who is nobody's is remembered, too");

        for known in callers.memory(true).values_mut() {
            known.until = Instant::now();
        }
        cluster.forgets("eyJ.agent.x");
        assert_eq!(callers.bearer("eyJ.agent.x").await, Err(NotIn::Unknown), "asked again, and it works no more");
    }

    #[tokio::test]
    async fn a_cluster_that_does_not_answer_lets_nobody_in_and_is_not_remembered() {
        let cluster = Arc::new(TestCluster::default());
        cluster.knows("eyJ.agent.x", "system:serviceaccount:ai:agent", &[]);
        let callers = callers(&cluster);
        cluster.away(true);
        assert!(matches!(callers.bearer("eyJ.agent.x").await, Err(NotIn::Unavailable(_))));
        cluster.away(false);
        assert!(callers.bearer("eyJ.agent.x").await.is_ok());
        let unconnected = InCluster::new(ClusterRoles::default(), String::new(), Arc::default());
        assert!(matches!(unconnected.bearer("eyJ.agent.x").await, Err(NotIn::Unavailable(_))));
        assert!(!unconnected.is_on());
    }

    #[test]
    fn what_strangers_send_does_not_decide_how_much_is_remembered() {
        let callers = callers(&Arc::new(TestCluster::default()));
        let user = |name: &str| ClusterUser { username: name.to_owned(), groups: Vec::new() };
        callers.remember("good".into(), Some(user("system:serviceaccount:ai:agent")));
        for n in 0..MOST * 2 {
            callers.remember(n.to_string(), None);
            callers.remember(format!("no-role-{n}"), Some(user("system:serviceaccount:other:pod")));
        }
        assert!(callers.memory(false).len() <= MOST);
        assert!(callers.remembered("good").is_some(), "nor is a good one pushed out");
    }
}
