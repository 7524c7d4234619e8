//! Lists what a run left in the volume of a workspace: a pod of a derived name mounts the claim read-only, writes the listing to its
//! log, and is deleted again, whatever came of it. Each effect is one call; what the pod is and what its status means stands in
//! [`pod`], how its text is read in `domain`.

mod pod;

use crate::{
    calls::{CallError, Kind},
    common::Common,
};
use domain::{
    execution::Execution,
    log::clean::clean,
    time::Timestamp,
    workspace::{self, NoListing, WorkspaceListing},
};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::LogParams};
use pod::Standing;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Listings that this process does at the same time.
pub const AT_ONCE: usize = 4;
/// Until the pod's container must run, seconds: its image may have to be pulled.
const START_WITHIN: u64 = 30;
/// What a walk may take beside [`workspace::SECONDS`], seconds: the container's start and the kubelet's word that it ended.
const SLACK: u64 = 10;
/// Between two looks at the pod.
const PAUSE: Duration = Duration::from_millis(300);
/// A pod that is older than this was left behind: whoever made it waits for it no more. Milliseconds.
const LEFT_BEHIND_MS: i64 = 60_000;
/// Tries to delete the pod. Where none succeeds it goes with its PipelineRun, or before the next listing.
const DELETES: u32 = 4;
/// Of what a failing lister wrote this many characters are repeated.
const WORDS: usize = 300;

/// Whether anything stands in the way of listing a workspace of a run that can be told without a pod.
pub async fn check(common: &Arc<Common>, run: &Execution, workspace: &str) -> Result<(), NoListing> {
    let asked = Asked::of(common, run, workspace)?;
    if common.listings.available_permits() == 0 {
        return Err(NoListing::Busy);
    }
    asked.check().await?;
    match asked.own_pod().await? {
        Some(pod) if !asked.is_left_behind(&pod) => Err(NoListing::UnderWay),
        _ => Ok(()),
    }
}

/// Lists a workspace of a run.
pub async fn list(common: &Arc<Common>, run: &Execution, workspace: &str) -> Result<WorkspaceListing, NoListing> {
    let asked = Asked::of(common, run, workspace)?;
    let Ok(turn) = Arc::clone(&common.listings).try_acquire_owned() else { return Err(NoListing::Busy) };
    // Whoever asked may go away: a pod that was made must not stay for that, and has its turn until it is gone.
    let listing = common.tasks.spawn(async move {
        let listing = asked.list().await;
        drop(turn);
        listing
    });
    listing.await.unwrap_or_else(|_| Err(NoListing::Failed("the console broke off".into())))
}

/// What is asked for.
struct Asked {
    common: Arc<Common>,
    namespace: String,
    run: String,
    run_uid: String,
    pod: String,
    claim: String,
    image: String,
}

impl Asked {
    fn of(common: &Arc<Common>, run: &Execution, workspace: &str) -> Result<Self, NoListing> {
        let image = common.config.lister_image.clone().ok_or(NoListing::Off)?;
        if !run.state.ended() {
            return Err(NoListing::NotEnded);
        }
        let run_uid = run.run_uid.clone().ok_or(NoListing::NeverStarted)?;
        Ok(Self {
            common: Arc::clone(common),
            namespace: run.subject.namespace.clone(),
            run: run.subject.name.clone(),
            pod: workspace::pod_name(&run.subject.id, workspace),
            claim: workspace::claim_name(workspace, &run_uid),
            run_uid,
            image,
        })
    }

    async fn check(&self) -> Result<(), NoListing> {
        self.check_run().await?;
        self.check_claim().await
    }

    async fn list(&self) -> Result<WorkspaceListing, NoListing> {
        self.check().await?;
        let uid = self.create().await?;
        let read = tokio::select! {
            read = self.read(&uid) => read,
            () = self.common.stop.cancelled() => Err(NoListing::Failed("the console is being stopped".into())),
        };
        self.remove(&uid).await;
        read
    }

    async fn check_run(&self) -> Result<(), NoListing> {
        let run = self.get(Kind::PipelineRun, &self.run).await?.ok_or(NoListing::NoRun)?;
        if run["metadata"]["uid"] != self.run_uid.as_str() {
            return Err(NoListing::NoRun);
        }
        if pod::goes_on(&run) { Err(NoListing::NotEnded) } else { Ok(()) }
    }

    async fn check_claim(&self) -> Result<(), NoListing> {
        let claim = self.get(Kind::Claim, &self.claim).await?;
        let claim = claim.ok_or_else(|| NoListing::NoClaim(self.claim.clone()))?;
        if !pod::is_owned_by(&claim, &self.run_uid) {
            return Err(NoListing::Foreign(self.claim.clone()));
        }
        match claim["status"]["phase"].as_str() {
            Some("Bound") => Ok(()),
            phase => {
                Err(NoListing::Unbound { claim: self.claim.clone(), phase: phase.unwrap_or("Unknown").to_owned() })
            }
        }
    }

    /// Creates the pod; its uid.
    async fn create(&self) -> Result<String, NoListing> {
        let wanted = pod::build(&pod::Place {
            name: &self.pod,
            namespace: &self.namespace,
            run: &self.run,
            run_uid: &self.run_uid,
            claim: &self.claim,
            image: &self.image,
        });
        let mut cleared = false;
        loop {
            match self.common.calls.create(Kind::Pod, &self.namespace, &wanted).await {
                Ok(made) => return Ok(uid(&made)),
                // Perhaps it was made all the same; what stands there may also be an older one, whose answer is not today's.
                Err(CallError::Unknown(why)) => {
                    if let Ok(Some(pod)) = self.own_pod().await {
                        self.remove(&uid(&pod)).await;
                    }
                    return Err(NoListing::Unavailable(why));
                }
                Err(CallError::Exists(_)) if !cleared => self.clear().await?,
                Err(CallError::Exists(_)) => return Err(NoListing::UnderWay),
                Err(other) => return Err(refusal(other)),
            }
            cleared = true;
        }
    }

    /// Deletes a pod that an earlier listing left behind.
    async fn clear(&self) -> Result<(), NoListing> {
        let Some(there) = self.own_pod().await? else { return Ok(()) };
        if !self.is_left_behind(&there) {
            return Err(NoListing::UnderWay);
        }
        let uid = uid(&there);
        self.remove(&uid).await;
        let gone = async {
            while self.own_pod().await?.is_some_and(|pod| pod["metadata"]["uid"] == uid.as_str()) {
                tokio::time::sleep(PAUSE).await;
            }
            Ok(())
        };
        tokio::time::timeout(Duration::from_secs(SLACK), gone).await.unwrap_or(Err(NoListing::UnderWay))
    }

    fn is_left_behind(&self, pod: &Value) -> bool {
        let made = pod["metadata"]["creationTimestamp"].as_str().and_then(|text| Timestamp::parse(text).ok());
        made.is_some_and(|made| self.common.cluster_now().since(made) >= LEFT_BEHIND_MS)
    }

    /// The pod of that name, if there is one; it is this run's.
    async fn own_pod(&self) -> Result<Option<Value>, NoListing> {
        match self.get(Kind::Pod, &self.pod).await? {
            Some(pod) if !pod::is_owned_by(&pod, &self.run_uid) => Err(NoListing::NameTaken(self.pod.clone())),
            other => Ok(other),
        }
    }

    /// Waits until the pod has ended, and reads what it wrote.
    async fn read(&self, own: &str) -> Result<WorkspaceListing, NoListing> {
        let begun = Instant::now();
        let (mut running, mut waited_for) = (None, None);
        let not_started = |why| NoListing::NotStarted { seconds: START_WITHIN, why };
        loop {
            let there = self.common.calls.get(Kind::Pod, &self.namespace, &self.pod).await;
            if there.as_ref().is_ok_and(|there| uid(there) != own) {
                return Err(NoListing::Failed("somebody put another pod in its place".into()));
            }
            match there.as_ref().map(pod::standing) {
                Ok(Standing::Succeeded) => {
                    let listing = WorkspaceListing::parse(&self.log().await?);
                    // The log is known by the pod's name alone.
                    let still = self.own_pod().await?.is_some_and(|pod| uid(&pod) == own);
                    return match listing {
                        _ if !still => Err(NoListing::Failed("somebody deleted it".into())),
                        Ok(listing) => Ok(listing),
                        Err(error) => Err(NoListing::Failed(error.to_string())),
                    };
                }
                // Its own deadline was the faster one: what it waited for tells more.
                Ok(Standing::Failed { late: true, .. }) if let Some(why) = waited_for => return Err(not_started(why)),
                Ok(Standing::Failed { why, .. }) => return Err(NoListing::Failed(self.in_its_words(why).await)),
                Ok(Standing::Waiting(why)) if begun.elapsed().as_secs() >= START_WITHIN => {
                    return Err(not_started(why));
                }
                Ok(Standing::Waiting(why)) => waited_for = Some(why),
                Ok(Standing::Running) => {
                    waited_for = None;
                    let since = *running.get_or_insert_with(Instant::now);
                    if since.elapsed().as_secs() >= workspace::SECONDS + SLACK {
                        return Err(NoListing::Failed("it ran too long".into()));
                    }
                }
                Err(CallError::NotFound(_)) => return Err(NoListing::Failed("somebody deleted it".into())),
                Err(error) if begun.elapsed().as_secs() >= START_WITHIN => {
                    return Err(NoListing::Unavailable(error.to_string()));
                }
                Err(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn log(&self) -> Result<String, NoListing> {
        let pods: Api<Pod> = Api::namespaced(self.common.client.clone(), &self.namespace);
        // One more than there may be, so that what is too long is seen to be.
        let most = i64::try_from(workspace::BYTES + 1).ok();
        let params = LogParams { container: Some(pod::CONTAINER.into()), limit_bytes: most, ..LogParams::default() };
        match tokio::time::timeout(Duration::from_secs(SLACK), pods.logs(&self.pod, &params)).await {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(error)) => Err(NoListing::Unavailable(error.to_string())),
            Err(_) => Err(NoListing::Unavailable(format!("its log did not come within {SLACK} s"))),
        }
    }

    /// Why it failed: what it said last, where it said something.
    async fn in_its_words(&self, why: String) -> String {
        let log = self.log().await.unwrap_or_default();
        let last = log.lines().map(|line| clean(line.as_bytes())).rfind(|line| !line.is_empty());
        last.map_or_else(|| why.clone(), |line| format!("{why}: {}", line.chars().take(WORDS).collect::<String>()))
    }

    async fn remove(&self, uid: &str) {
        for attempt in 1..=DELETES {
            match self.common.calls.delete_pod(&self.namespace, &self.pod, uid).await {
                // Another one under the name is none of ours.
                Ok(()) | Err(CallError::NotFound(_) | CallError::Conflict(_)) => return,
                Err(error) => tracing::warn!(%error, pod = self.pod, "a lister's pod could not be deleted"),
            }
            tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 500)).await;
        }
    }

    /// The object of that name; none where the API server says that there is none.
    async fn get(&self, kind: Kind, name: &str) -> Result<Option<Value>, NoListing> {
        match self.common.calls.get(kind, &self.namespace, name).await {
            Ok(object) => Ok(Some(object)),
            Err(CallError::NotFound(_)) => Ok(None),
            Err(error) => Err(refusal(error)),
        }
    }
}

fn uid(object: &Value) -> String {
    object["metadata"]["uid"].as_str().unwrap_or_default().to_owned()
}

/// What it means that a call was not done.
fn refusal(error: CallError) -> NoListing {
    if error.lacks_a_right() {
        return NoListing::NotAllowed(error.to_string());
    }
    match error {
        CallError::Refused { message, .. } => NoListing::Refused(message),
        other => NoListing::Unavailable(other.to_string()),
    }
}
