//! Keeps the store abreast of the cluster: watches fill the index, names whose reading may have changed are looked at, and
//! what is new is told. A thousand events of one run become a handful of writes.

mod ask;
mod watches;

pub use watches::{Seen, run as watch};

use crate::{
    common::lock,
    context::Context,
    index::{Look, Reading, Tracked},
    logs::{Archive, Follower, Source},
    queue::Next,
    reconcile::STATUS_EVERY,
    trouble::Trouble,
};
use domain::{
    execution::{Execution, ExecutionState, Stage, Task, TaskAttempt},
    ids::ExecutionId,
    limits::TAKEN_UP_WITHIN,
    observation::Changed,
};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// Runs looked at at a time.
const WORKERS: usize = 4;
/// The least pause between two looks at one run.
const GAP: Duration = Duration::from_millis(20);
/// A look that cost this part of the pause after it is no burden.
const SHARE: u32 = 4;
/// A run is looked at this often even if nothing happens: its deadline may have passed.
const PULSE: Duration = Duration::from_mins(1);
/// A run is asked for this often whose PipelineRun lost our label, since no watch shows it any more, or that Tekton has not taken up.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// After the run's own deadline Tekton has this long to end it by itself.
const DEADLINE_GRACE_MS: i64 = 60_000;
/// How long a run that has ended waits to see that its TaskRuns have too, before they are asked for one by one: their watch
/// may be behind, and Tekton ends a cancelled PipelineRun before its TaskRuns.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same while the TaskRuns are still being listed for the first time: after a restart there may be thousands, and asking
/// for each would only make it longer.
const LISTING: Duration = Duration::from_mins(1);
/// Runs that ended at most this long ago may have logs that were not read to their end.
const JUST_ENDED_MS: i64 = 600_000;
/// Of so many that ended last.
const LAST: u32 = 100;
/// The container that runs the step of both our Task and our Pipeline.
const CONTAINER: &str = "step-execute";

/// Of a run that waits for Tekton. Its controller has this label upstream and with OpenShift Pipelines, whichever its namespace.
const UNTAKEN: &str = "Tekton has not taken it up yet: its controller is away, or has much to do; look with \
                       `kubectl get pods --all-namespaces --selector app=tekton-pipelines-controller`";

/// Logs that are followed: by run, then by task and attempt; the value says that the container has ended.
type Followed = HashMap<String, HashMap<(String, u32), watch::Sender<bool>>>;

/// The recorder's own state.
#[derive(Default)]
struct Recorder {
    followed: Mutex<Followed>,
    /// Runs that wait for the watch of their TaskRuns.
    waiting: Mutex<HashMap<String, Wait>>,
    /// Runs that were let go and that Tekton has not taken up, since when they have been seen so.
    untaken: Mutex<HashMap<String, Untaken>>,
}

/// A run that Tekton has not taken up.
struct Untaken {
    since: Instant,
    asked: Option<Instant>,
}

impl Untaken {
    /// Whether to ask for it now; it then counts as asked.
    fn asks(&mut self, now: Instant) -> bool {
        let asks = now.duration_since(self.since) >= TAKEN_UP_WITHIN
            && self.asked.is_none_or(|at| now.duration_since(at) >= ASK_EVERY);
        if asks {
            self.asked = Some(now);
        }
        asks
    }
}

/// Since when a run waits: before the TaskRuns' first list was complete, and after it.
#[derive(Default)]
struct Wait {
    listing: Option<Instant>,
    listed: Option<Instant>,
}

/// Starts it: first what the store says is unfinished, then the watches.
pub fn start(context: &Arc<Context>) {
    let recorder = Arc::new(Recorder::default());
    for _ in 0..WORKERS {
        let context = Arc::clone(context);
        let recorder = Arc::clone(&recorder);
        context.clone().tasks.spawn(async move {
            context.record.work(&context.stop, |name| recorder.look(&context, name)).await;
        });
    }
    let context = Arc::clone(context);
    context.clone().tasks.spawn(async move {
        while let Err(error) = begin(&context).await {
            tracing::warn!(?error, "the recorder can't ask the store what is unfinished");
            tokio::select! {
                () = context.stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
        watches::start(&context);
    });
}

/// Takes up all that somebody else may have left.
async fn begin(context: &Context) -> Result<(), Trouble> {
    catch_up(context).await?;
    read_rests(context).await
}

/// Reads on where whoever acted before was reading when it ended: the run is over, but its pods may still be there.
async fn read_rests(context: &Context) -> Result<(), Trouble> {
    let store = &context.ports.executions;
    let ended = store.last_ended(LAST).await?.into_iter().map(|line| line.execution);
    let recent = |run: &Execution| {
        let age = |at| context.cluster_now().since(at);
        run.subject.cluster == context.config.cluster_name && run.finished_at.is_some_and(|at| age(at) < JUST_ENDED_MS)
    };
    let mut open = Vec::new();
    for id in ended.filter(recent).map(|run| run.subject.id) {
        for task in store.get(&id).await?.into_iter().flat_map(|run| run.tasks) {
            for attempt in task.attempts.iter().filter(|a| a.running_at.is_some()) {
                if !store.log_closed(&id, &task.name, attempt.attempt).await? {
                    open.push((id.clone(), task.clone(), attempt.clone()));
                }
            }
        }
    }
    for (id, task, attempt) in open {
        spawn_follower(context, &id, &task, &attempt, watch::channel(true).1);
    }
    Ok(())
}

/// Follows every unfinished run that has an object in the cluster.
async fn catch_up(context: &Context) -> Result<(), Trouble> {
    let unfinished = context.ports.executions.unfinished(&context.config.cluster_name).await?;
    for execution in unfinished.iter().filter(|e| matches!(e.stage, Stage::Created | Stage::Started)) {
        match context.ticket(&execution.subject.ticket_digest).await {
            Ok(Some(ticket)) => context.track(execution, &ticket),
            Ok(None) | Err(Trouble::Never { .. }) => {
                tracing::error!(execution = %execution.subject.id, "an unfinished run has no readable ticket");
            }
            Err(later) => return Err(later),
        }
        context.reconcile.add(execution.subject.name.clone());
    }
    Ok(())
}

/// Follows a run that started elsewhere: its replica may have died, and may have been the only one to see it end.
pub async fn follow_up(context: &Context, execution: &Execution) {
    if let Ok(Some(ticket)) = context.ticket(&execution.subject.ticket_digest).await {
        context.track(execution, &ticket);
        context.index().doubt(&execution.subject.name);
        context.record.add(execution.subject.name.clone());
    }
}

impl Recorder {
    async fn look(&self, context: &Context, name: String) -> Next {
        let began = Instant::now();
        let look = context.index().look(&name);
        let result = match look {
            // How it ends is for whoever stopped it to say.
            Look::Tell(_, ref reading) if reading.whole.state.ended() && context.cause_against(&name).is_some() => {
                context.reconcile.add(name.clone());
                Ok(true)
            }
            Look::Nothing => {
                self.close(&name);
                return Next::Done;
            }
            Look::Wait => Ok(true),
            Look::AskStore => ask::look_up(context, &name).await,
            Look::Confirm(tracked) => ask::confirm(context, &name, &tracked).await,
            Look::Tell(tracked, reading) => self.tell(context, &name, &tracked, *reading).await,
        };
        match result {
            Ok(true) => Next::Rest { gap: GAP.max(began.elapsed() * SHARE), again: self.next_look(context, &name) },
            Ok(false) => {
                self.close(&name);
                Next::Done
            }
            Err(trouble) => {
                tracing::warn!(name, ?trouble, "what the cluster shows could not be written");
                match trouble {
                    // A run is followed until it has ended: a refusal may be taken back, and its deadline will pass.
                    Trouble::Never { .. } => Next::After(PULSE),
                    later @ Trouble::Later { .. } => later.into(),
                }
            }
        }
    }

    fn next_look(&self, context: &Context, name: &str) -> Duration {
        let next = if lock(&self.waiting).contains_key(name) {
            PATIENCE
        } else if context.index().is_unwatched(name) {
            ASK_EVERY
        } else {
            PULSE
        };
        let untaken = lock(&self.untaken).get(name).map(|known| TAKEN_UP_WITHIN.saturating_sub(known.since.elapsed()));
        untaken.filter(|rest| !rest.is_zero()).map_or(next, |rest| rest.min(next))
    }

    /// Tells the store what is new; whether the run goes on.
    async fn tell(&self, context: &Context, name: &str, tracked: &Tracked, reading: Reading) -> Result<bool, Trouble> {
        let Reading { whole, news, created_at, untaken, unseen, listed } = reading;
        if !unseen.is_empty() {
            if self.is_patient(name, listed) {
                return Ok(true);
            }
            ask::ask_for(context, name, unseen).await?;
            context.record.add(name.to_owned());
            return Ok(true);
        }
        let mut changed = Changed::default();
        if let Some(news) = news {
            changed = context.ports.executions.observe(&tracked.id, news).await?;
            context.index().told(name, whole.clone());
        }
        self.follow_logs(context, name, tracked, &whole.tasks);
        if changed.ended {
            tracing::info!(execution = %tracked.id, name, state = %whole.state, "a run ended");
            metrics::counter!("kubernaut_runs_ended_total", "state" => whole.state.name()).increment(1);
            context.reconcile.add(name.to_owned());
        } else if changed.any() {
            context.reconcile.add_after(name.to_owned(), STATUS_EVERY);
        }
        if whole.state.ended() {
            context.index().forget(name);
            return Ok(false);
        }
        let began = whole.started_at.or(created_at);
        if began.is_some_and(|began| ask::overdue(began, tracked.timeout_ms, context.cluster_now())) {
            ask::end_overdue(context, tracked).await?;
            return Ok(false);
        }
        if untaken {
            self.tell_untaken(context, name, tracked).await;
        } else {
            lock(&self.untaken).remove(name);
        }
        Ok(true)
    }

    /// Says of a run that Tekton has had its time to take up that this is what it waits for. What Tekton says of it then takes its place.
    async fn tell_untaken(&self, context: &Context, name: &str, tracked: &Tracked) {
        let now = Instant::now();
        let asks = lock(&self.untaken).entry(name.to_owned()).or_insert(Untaken { since: now, asked: None }).asks(now);
        if !asks || !ask::is_untaken(context, name, tracked).await {
            return;
        }
        if context.says(&tracked.id, ExecutionState::Pending, "WaitingForTekton", UNTAKEN.to_owned()).await {
            context.reconcile.add_after(name.to_owned(), STATUS_EVERY);
        }
    }

    /// Begins to follow the logs of tries whose container has started, and says which containers have ended.
    fn follow_logs(&self, context: &Context, name: &str, tracked: &Tracked, tasks: &[Task]) {
        let mut followed = lock(&self.followed);
        let of_run = followed.entry(name.to_owned()).or_default();
        for task in tasks {
            for attempt in task.attempts.iter().filter(|a| a.running_at.is_some()) {
                let key = (task.name.clone(), attempt.attempt);
                let ended = attempt.state.ended();
                if let Some(sender) = of_run.get(&key) {
                    sender.send_if_modified(|known| !std::mem::replace(known, ended) && ended);
                    continue;
                }
                let (sender, receiver) = watch::channel(ended);
                if spawn_follower(context, &tracked.id, task, attempt, receiver) {
                    of_run.insert(key, sender);
                }
            }
        }
    }

    /// Whether to wait for the TaskRuns of a run that has ended. Not for ever: somebody may have deleted one.
    fn is_patient(&self, name: &str, listed: bool) -> bool {
        let mut waiting = lock(&self.waiting);
        let wait = waiting.entry(name.to_owned()).or_default();
        let since = if listed { &mut wait.listed } else { &mut wait.listing };
        since.get_or_insert_with(Instant::now).elapsed() < if listed { PATIENCE } else { LISTING }
    }

    /// The run has ended: so have its containers.
    fn close(&self, name: &str) {
        lock(&self.waiting).remove(name);
        lock(&self.untaken).remove(name);
        let mut followed = lock(&self.followed);
        for sender in followed.remove(name).into_iter().flatten().map(|(_, sender)| sender) {
            sender.send_replace(true);
        }
    }
}

fn spawn_follower(
    context: &Context,
    id: &ExecutionId,
    task: &Task,
    attempt: &TaskAttempt,
    ended: watch::Receiver<bool>,
) -> bool {
    let Some(pod) = attempt.pod.clone() else { return false };
    let late = *ended.borrow();
    let follower = Follower {
        pods: Api::<Pod>::namespaced(context.client.clone(), &context.config.namespace),
        pod: pod.clone(),
        container: CONTAINER.to_owned(),
        archive: Archive::new(
            Arc::clone(&context.ports.executions),
            Arc::clone(&context.log_turns),
            Source { execution: id.clone(), task: task.name.clone(), attempt: attempt.attempt, pod },
        ),
        ended,
        late,
    };
    let permits = Arc::clone(&context.log_permits);
    let stop = context.stop.clone();
    context.tasks.spawn(async move {
        let permit = tokio::select! {
            () = stop.cancelled() => return,
            permit = permits.acquire_owned() => permit,
        };
        follower.run(stop).await;
        drop(permit);
    });
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_tekton_leaves_alone_is_asked_for_after_its_time_and_not_at_each_look() {
        let since = Instant::now();
        let mut run = Untaken { since, asked: None };
        let millis = Duration::from_millis;
        let looks = [0, 9_999, 10_000, 10_020, 14_999, 15_000, 15_020];
        let asked = looks.map(|at| run.asks(since + millis(at)));
        assert_eq!(asked, [false, false, true, false, false, true, false]);
    }
}
