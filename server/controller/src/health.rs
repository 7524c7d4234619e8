//! How the engine is: whether the watches have synced, and what is missing in the cluster, in plain words with what to do.
//! Only what the watches and a rare look at Tekton's pieces have shown; asking costs no call.

use crate::{Config, calls::Kind, common::Common, mend, shipped};
use domain::ports::ClusterHealth;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// The pause between looks while something is wrong.
const SOON: Duration = Duration::from_secs(2);
/// The pause while something is wrong that runs go without.
const LATER: Duration = Duration::from_mins(1);

/// What a console goes without that may not read Events.
pub const UNWARNED: &str = "what Kubernetes only warns of, such as a Secret that is missing, is not told";

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watched {
    /// Our own.
    Workflows,
    /// Tekton's.
    PipelineRuns,
    /// Tekton's.
    TaskRuns,
    /// The kubelet's.
    Pods,
    /// Our own. Runs go without it: a cluster may not have this definition.
    Registrations,
    /// What Kubernetes warns of. Runs go without it: the right may be missing.
    Events,
}

impl Watched {
    /// Those that runs need.
    const NEEDED: [Self; 4] = [Self::Workflows, Self::PipelineRuns, Self::TaskRuns, Self::Pods];

    fn is_needed(self) -> bool {
        Self::NEEDED.contains(&self)
    }

    const fn kind(self) -> Kind {
        match self {
            Self::Workflows => Kind::Workflow,
            Self::PipelineRuns => Kind::PipelineRun,
            Self::TaskRuns => Kind::TaskRun,
            Self::Pods => Kind::Pod,
            Self::Registrations => Kind::Registration,
            Self::Events => Kind::Event,
        }
    }

    /// Its plural, for metrics and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workflows => "workflowexecutions",
            Self::PipelineRuns => "pipelineruns",
            Self::TaskRuns => "taskruns",
            Self::Pods => "pods",
            Self::Registrations => "remediationworkflows",
            Self::Events => "events",
        }
    }
}

/// Whether this console acts.
#[derive(Default)]
enum Turn {
    /// It does.
    #[default]
    Acts,
    /// Another does.
    StandsBy(String),
    /// Nobody knows yet, or why not.
    Unsettled(Option<String>),
}

#[derive(Default)]
struct State {
    turn: Turn,
    synced: BTreeMap<Watched, bool>,
    problems: BTreeMap<Watched, String>,
    missing: Vec<String>,
    version: Option<String>,
}

/// What is known.
pub struct Health {
    name: String,
    sandbox: bool,
    namespace: String,
    state: Mutex<State>,
    /// Something broke: look soon whether it works again.
    trouble: Notify,
}

impl Health {
    pub fn new(config: &Config) -> Self {
        Self {
            name: config.cluster_name.clone(),
            sandbox: config.sandbox,
            namespace: config.namespace.clone(),
            state: Mutex::new(State {
                turn: if config.replica.is_some() { Turn::Unsettled(None) } else { Turn::Acts },
                ..State::default()
            }),
            trouble: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This console acts from now on; nothing is watched yet.
    pub fn acts(&self) {
        let mut state = self.state();
        state.turn = Turn::Acts;
        state.synced.clear();
        state.problems.clear();
    }

    /// Another console acts.
    pub fn stands_by(&self, holder: String) {
        self.state().turn = Turn::StandsBy(holder);
    }

    /// This console does not act, and who does is not known yet. What its watches said is history.
    pub fn waits_for_its_turn(&self) {
        let mut state = self.state();
        state.turn = Turn::Unsettled(None);
        state.problems.clear();
    }

    /// Who acts can't be found out.
    pub fn no_turn(&self, why: String) {
        self.state().turn = Turn::Unsettled(Some(why));
    }

    /// A list is complete.
    pub fn synced(&self, watched: Watched) {
        let mut state = self.state();
        state.synced.insert(watched, true);
        state.problems.remove(&watched);
    }

    /// An event came: the watch works again.
    pub fn alive(&self, watched: Watched) {
        self.state().problems.remove(&watched);
    }

    /// The watch broke.
    pub fn broke(&self, watched: Watched, error: &kube::runtime::watcher::Error) {
        let problem = in_words(watched, error, &self.namespace);
        let known = self.state().problems.insert(watched, problem.clone());
        if watched.is_needed() {
            tracing::warn!(kind = watched.name(), %error, problem, "a watch broke and begins anew");
            self.trouble.notify_one();
        } else if known.as_ref() != Some(&problem) {
            // It may stay so for good: it is said once.
            tracing::warn!(kind = watched.name(), %error, problem, "a watch that runs go without broke; it begins anew");
        }
    }

    /// Whether it is this console's turn.
    pub fn is_acting(&self) -> bool {
        matches!(self.state().turn, Turn::Acts)
    }

    /// As others are told.
    pub fn report(&self) -> ClusterHealth {
        let state = self.state();
        let (acting, unsettled) = match &state.turn {
            Turn::Acts => (None, None),
            Turn::StandsBy(holder) => (Some(holder.clone()), None),
            Turn::Unsettled(why) => {
                let why = why.as_deref().unwrap_or("it is not settled yet which console acts; wait a moment");
                (None, Some(why.to_owned()))
            }
        };
        let mut problems: Vec<String> = Vec::new();
        let needed = state.problems.iter().filter(|(watched, _)| watched.is_needed()).map(|(_, problem)| problem);
        for problem in unsettled.iter().chain(needed).chain(&state.missing) {
            if !problems.contains(problem) {
                problems.push(problem.clone());
            }
        }
        let watches = matches!(state.turn, Turn::Acts);
        let synced = !watches || Watched::NEEDED.iter().all(|w| state.synced.get(w).copied().unwrap_or_default());
        if !synced && problems.is_empty() {
            problems.push("the cluster's objects are still being listed; wait a moment".into());
        }
        let ready = synced && problems.is_empty();
        for (_, problem) in state.problems.iter().filter(|(watched, _)| !watched.is_needed()) {
            if !problems.contains(problem) {
                problems.push(problem.clone());
            }
        }
        ClusterHealth {
            name: self.name.clone(),
            sandbox: self.sandbox,
            version: state.version.clone(),
            ready,
            problems,
            acting,
        }
    }
}

/// What a broken watch means, and what to do about it.
fn in_words(watched: Watched, error: &kube::runtime::watcher::Error, namespace: &str) -> String {
    use kube::runtime::watcher::Error;
    let code = match error {
        Error::InitialListFailed(kube::Error::Api(status)) | Error::WatchStartFailed(kube::Error::Api(status)) => {
            status.code
        }
        Error::WatchError(status) => status.code,
        _ => 0,
    };
    let name = watched.name();
    match (code, watched) {
        (404, Watched::Workflows) => {
            format!("the cluster does not know WorkflowExecution; run `{}`", mend::DEFINITIONS)
        }
        (404, Watched::Registrations) => format!(
            "the cluster does not know RemediationWorkflow, so playbooks can't be registered with kubectl; run `{}`",
            mend::DEFINITIONS
        ),
        (404, Watched::PipelineRuns | Watched::TaskRuns) => {
            "Tekton Pipelines is not installed (the cluster does not serve \
             tekton.dev/v1); install Tekton Pipelines or the OpenShift Pipelines operator"
                .into()
        }
        (401, _) => {
            "the cluster does not accept the console's credentials; check the kubeconfig or the service account's token"
                .into()
        }
        (403, Watched::Events) => {
            let mend = mend::apply(mend::RIGHTS, namespace);
            format!("the console may not list and watch events in {namespace}, so {UNWARNED}; run `{mend}`")
        }
        (403, _) => {
            let mend = mend::apply(mend::RIGHTS, namespace);
            format!("the console may not list and watch {name} in {namespace}; run `{mend}`")
        }
        (410, _) => format!("the watch of {name} fell behind and lists anew"),
        (0, _) => "the cluster's API server can't be reached; check that it is up and the address is right".into(),
        (code, _) => format!("the cluster answers {code} when {name} are watched; see the log"),
    }
}

/// Looks for Tekton's pieces now and then, and once for the version.
pub fn start(common: &Arc<Common>) {
    let common = Arc::clone(common);
    common.clone().tasks.spawn(async move {
        loop {
            let good = look(&common).await;
            let pause = match good {
                false => SOON,
                true if common.health.state().problems.is_empty() => Duration::from_mins(5),
                true => LATER,
            };
            tokio::select! {
                () = common.stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
                () = common.health.trouble.notified(), if good => {}
            }
        }
    });
}

async fn look(common: &Common) -> bool {
    if let Ok(version) = common.calls.version().await {
        common.health.state().version = Some(version);
    }
    let namespace = &common.config.namespace;
    let missing = shipped::faults(&common.calls, namespace).await;
    let mut answered = missing.is_some();
    // A watch that goes on where it was says nothing until something happens: asking tells that it can.
    let broken: Vec<Watched> = common.health.state().problems.keys().copied().collect();
    for watched in broken {
        match common.calls.probe(watched.kind(), namespace).await {
            Ok(()) => common.health.alive(watched),
            Err(_) if watched.is_needed() => answered = false,
            Err(_) => {}
        }
    }
    // What is wrong here stays said while the cluster does not answer.
    let nothing_missing = missing.as_ref().is_some_and(Vec::is_empty);
    if let Some(missing) = missing {
        common.health.state().missing = missing.iter().map(ToString::to_string).collect();
    }
    answered && nothing_missing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health() -> Health {
        Health::new(&Config {
            cluster_name: "test".into(),
            sandbox: true,
            namespace: "kubernaut-system".into(),
            database: "test".into(),
            replica: None,
            lister_image: None,
            events: crate::EventNamespaces::default(),
            reviews: crate::Reviews::default(),
        })
    }

    fn api_error(code: u16) -> kube::runtime::watcher::Error {
        let status = kube::core::Status { code, ..kube::core::Status::default() };
        kube::runtime::watcher::Error::InitialListFailed(kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn ready_when_all_has_synced_and_nothing_is_missing() {
        let health = health();
        assert!(!health.report().ready);
        for watched in Watched::NEEDED {
            health.synced(watched);
        }
        assert!(health.report().ready);
        health.broke(Watched::Pods, &api_error(500));
        assert!(!health.report().ready);
        health.alive(Watched::Pods);
        assert!(health.report().ready);
    }

    #[test]
    fn runs_go_without_a_definition_that_they_do_not_need_and_it_is_said() {
        let health = health();
        for watched in Watched::NEEDED {
            health.synced(watched);
        }
        health.broke(Watched::Registrations, &api_error(404));
        let report = health.report();
        assert!(report.ready);
        assert!(report.problems[0].contains("does not know RemediationWorkflow"), "{report:?}");
        assert!(report.problems[0].contains("kubectl apply -k deploy/base/crds/"), "{report:?}");
        health.broke(Watched::Pods, &api_error(500));
        assert_eq!((health.report().ready, health.report().problems.len()), (false, 2));
        health.synced(Watched::Registrations);
        health.alive(Watched::Pods);
        assert!(health.report().problems.is_empty());
    }

    #[test]
    fn without_the_right_to_read_events_runs_go_on_and_what_is_missing_then_is_said() {
        let health = health();
        for watched in Watched::NEEDED {
            health.synced(watched);
        }
        health.broke(Watched::Events, &api_error(403));
        let report = health.report();
        assert!(report.ready);
        assert!(report.problems[0].contains("events in kubernaut-system") && report.problems[0].contains(UNWARNED));
        assert!(report.problems[0].contains("kubectl apply -k deploy/base/rbac/"), "{report:?}");
    }

    #[test]
    fn what_is_missing_is_said_once_with_what_to_do() {
        let health = health();
        health.broke(Watched::PipelineRuns, &api_error(404));
        health.broke(Watched::TaskRuns, &api_error(404));
        health.broke(Watched::Workflows, &api_error(404));
        let problems = health.report().problems;
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems.iter().any(|p| p.contains("Tekton Pipelines is not installed")));
        assert!(problems.iter().any(|p| p.contains("kubectl apply -k deploy/base/crds/")));
        health.broke(Watched::Pods, &api_error(403));
        assert!(health.report().problems.iter().any(|p| p.contains("may not list and watch pods")));
    }
}
