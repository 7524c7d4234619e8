//! With `--subject-access-review`: whoever approves a remediation must be let do so by the cluster, too, in every namespace that it acts in.
//! The cluster is asked at each approval (SubjectAccessReview); what it does not answer is no yes.

use super::{Services, store_fault, tickets::Made};
use domain::{
    identity::Caller,
    ports::{ClusterRight, ClusterUser, UserRecord},
    recommendation::Recommendation,
    services::{Answer, ServiceError},
    target::Scope,
};

/// What approving comes to in the cluster: that a WorkflowExecution is made. Whoever may do so in a namespace may remediate there.
const VERB: &str = "create";
/// See [`VERB`].
const RESOURCE: &str = "workflowexecutions.workflowexecution.kubernaut.ai";
/// Before the role of the console that somebody has, as a group of the cluster: `kubernaut:operator`.
const ROLE_GROUP: &str = "kubernaut:";
/// The group of everybody whom the API server knows.
const AUTHENTICATED: &str = "system:authenticated";

impl Services {
    /// Refuses an approval where the cluster does not let this person remediate what the ticket acts on.
    pub(super) async fn may_remediate(
        &self,
        caller: &Caller,
        recommendation: &Recommendation,
        made: &Made,
    ) -> Answer<()> {
        if !self.world.settings.subject_access_review {
            return Ok(());
        }
        let incident = recommendation.content.incident.resource.as_ref();
        let scope = Scope::of_plan(incident, &made.ticket.content().plan);
        for namespace in namespaces(&scope, &self.world.settings.namespace) {
            self.has_right(caller, &right(namespace)).await?;
        }
        Ok(())
    }

    async fn has_right(&self, caller: &Caller, right: &ClusterRight) -> Answer<()> {
        let user = self.person(caller).await?;
        // Those of the provider's people are kept as of their last sign-in: here counts what their groups give them by now.
        let roles = if user.external.is_some() { &caller.roles } else { &user.roles };
        let groups = roles.iter().map(|role| format!("{ROLE_GROUP}{role}")).chain([AUTHENTICATED.to_owned()]);
        let user = ClusterUser { username: user.name, groups: groups.collect() };
        match self.cluster()?.may(&user, right).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(ServiceError::Forbidden(format!(
                "the cluster does not let {} {right}: ask an administrator of the cluster for that right",
                user.username
            ))),
            Err(error) => {
                tracing::error!(%error, "the cluster does not say what somebody may");
                let detail =
                    "the cluster does not say whether you may approve this; nothing was decided, try again in a moment";
                Err(ServiceError::Unavailable(detail.into()))
            }
        }
    }

    /// The account behind a caller. A token that is nobody's is nobody whom the cluster could know.
    async fn person(&self, caller: &Caller) -> Answer<UserRecord> {
        let found = self.world.people.user(caller.actor.person().as_str()).await.map_err(store_fault)?;
        found.filter(|user| !user.disabled).ok_or_else(|| {
            let detail = "the cluster is asked about each person who approves here, and this is none: approve by a person's account";
            ServiceError::Forbidden(detail.into())
        })
    }
}

/// Namespaces that the cluster is asked about one by one.
const MOST: usize = 20;

/// Where it takes the right: in each namespace that it acts in; in the whole cluster (none) for an object in no namespace, or in one
/// that nobody says; in the namespace of the runs where nothing is named. Whoever may in the whole cluster may in each: of many
/// namespaces that alone is asked.
fn namespaces(scope: &Scope, runs: &str) -> Vec<Option<String>> {
    let said = scope.namespaces().into_iter().filter(|namespace| !namespace.is_empty());
    let mut all: Vec<Option<String>> = said.map(Some).collect();
    if scope.objects.iter().any(|object| object.namespace.is_none()) {
        all.push(None);
    }
    match all.len() {
        0 => vec![Some(runs.to_owned())],
        1..=MOST => all,
        _ => vec![None],
    }
}

fn right(namespace: Option<String>) -> ClusterRight {
    ClusterRight { verb: VERB, resource: RESOURCE, namespace }
}

#[cfg(test)]
pub(in crate::services) mod tests {
    use super::*;
    use crate::{
        registry::PinnedOnly,
        services::{
            Settings,
            tests::{TestCluster, settings},
        },
        world,
    };
    use domain::{
        audit::AuditEntry,
        identity::{Actor, Role, Way},
        ids::ActorId,
        ports::{AccountStore as _, PasswordHash},
        recommendation::ResourceRef,
        ticket::Plan,
        workflow::Step,
    };
    use serde_json::{Value, json};
    use std::sync::Arc;
    use store::{Options, Store, sqlite_url};

    #[test]
    fn the_right_is_asked_for_where_it_acts() {
        let told = |incident: Option<&str>, inputs: &[Value]| {
            let incident = incident.map(|namespace| ResourceRef {
                kind: "Deployment".into(),
                namespace: Some(namespace.to_owned()).filter(|name| !name.is_empty()),
                name: "x".into(),
            });
            let step = |inputs: &Value| Step {
                name: "s".into(),
                action_type: "a".into(),
                image: format!("a.example/b@sha256:{}", "a".repeat(64)).parse().unwrap(),
                inputs: inputs.as_object().unwrap().clone(),
                run_after: Vec::new(),
                uses_workspace: false,
                idempotent: false,
            };
            let plan = Plan::Steps { workflow_type: "t".into(), steps: inputs.iter().map(step).collect() };
            let asked = namespaces(&Scope::of_plan(incident.as_ref(), &plan), "kubernaut-system");
            let create = format!("{VERB} {RESOURCE} in ");
            asked.into_iter().map(|place| right(place).to_string().replace(&create, "")).collect::<Vec<_>>()
        };
        assert_eq!(told(Some("production"), &[]), ["namespace production"]);
        assert_eq!(told(Some(""), &[]), ["the whole cluster"], "nobody says where");
        assert_eq!(told(None, &[]), ["namespace kubernaut-system"]);
        let decoy = json!({ "deployment": "decoy", "namespace": "dev" });
        let pods = json!({ "namespace": "payments", "labelSelector": "app=x" });
        let all = told(Some("production"), &[decoy.clone(), json!({ "deployment": "x" }), pods]);
        assert_eq!(all, ["namespace dev", "namespace production", "namespace payments"]);
        let many: Vec<Value> = (0..=MOST).map(|n| json!({ "namespace": format!("team-{n}") })).collect();
        assert_eq!(told(None, &many), ["the whole cluster"]);
        assert_eq!(told(None, &[decoy, json!({ "node": "n" })]), ["namespace dev", "the whole cluster"]);
    }

    pub(in crate::services) fn services(store: &Store, cluster: &Arc<TestCluster>) -> Services {
        let settings = Settings { subject_access_review: true, ..settings() };
        let world = world::over(&Arc::new(store.clone()), Arc::new(PinnedOnly), settings);
        let _ = world.cluster.set(cluster.clone());
        Services::new(world)
    }

    fn caller(id: &str, owner: Option<&str>) -> Caller {
        let actor = Actor { owner: owner.map(ActorId::new), ..Actor::new(ActorId::new(id), "whatever it is called") };
        let (request_id, route) = ("r-1".to_owned(), "test".to_owned());
        Caller { actor, roles: vec![Role::Operator], request_id, route, way: Way::default(), session: None }
    }

    #[tokio::test]
    async fn the_person_behind_is_asked_about_by_name_and_roles_and_no_answer_is_no_yes() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(&sqlite_url(&data.path().join("console.sqlite")), Options::default()).await.unwrap();
        let cluster = Arc::new(TestCluster::default());
        let services = services(&store, &cluster);
        for name in ["mara", "vera"] {
            let audit = AuditEntry::by(&caller("system:test", None), "account.create", "account", name);
            let hash = PasswordHash("hash".into());
            let made = store.create_user(&format!("user:{name}"), name, &[Role::Operator], &hash, audit).await;
            assert!(made.unwrap());
        }
        cluster.forbids("vera");
        let right = right(Some("kubernaut-system".into()));
        let ask = async |id: &str, owner: Option<&str>| services.has_right(&caller(id, owner), &right).await;
        ask("user:mara", None).await.unwrap();
        let told = format!("mara (kubernaut:operator system:authenticated): {right}");
        assert_eq!(cluster.asked(), [told.as_str()]);
        ask("token:t", Some("user:mara")).await.unwrap();
        assert_eq!(cluster.asked(), [told.as_str(), told.as_str()], "a person and their tokens are one");

        let refused = ask("user:vera", None).await.unwrap_err();
        let ServiceError::Forbidden(detail) = refused else { panic!("{refused:?}") };
        assert!(detail.contains("let vera create workflowexecutions") && detail.contains("namespace kubernaut-system"));
        for nobody in ["token:machine", "user:gone", "system:cluster"] {
            assert!(matches!(ask(nobody, None).await, Err(ServiceError::Forbidden(_))), "{nobody}");
        }
        assert_eq!(cluster.asked().len(), 3, "nobody is not asked about");
        cluster.away(true);
        let away = ask("user:mara", None).await;
        assert!(matches!(away, Err(ServiceError::Unavailable(_))), "{away:?}");
    }
}
