//! Which Warnings are a run's own, and which of them tells why a pod does not begin. Pure.

use crate::{
    index::Warnings,
    objects::{PipelineRun, Pod, TaskRun},
};
use domain::{
    limits,
    warning::{self, Warning},
};
use std::collections::HashMap;

/// The scheduler's reason. The pod's status says the same for as long as it holds.
const UNSCHEDULED: &str = "FailedScheduling";

/// All that is about the run, its TaskRuns, their pods and the claims of these, newest first. A claim is of the whole run: its tasks
/// share it.
pub fn of_run(
    run: &PipelineRun,
    task_runs: &HashMap<&str, &TaskRun>,
    pods: &HashMap<String, Pod>,
    known: &Warnings,
) -> Vec<Warning> {
    let tasks: HashMap<&str, &str> = task_runs.values().map(|t| (t.uid.as_str(), t.task.as_str())).collect();
    let of_task = |uid: &str, task: &str| {
        let task = Some(task.to_owned());
        known.of(uid).iter().map(|w| Warning { task: task.clone(), ..w.clone() }).collect::<Vec<_>>()
    };
    let mut all = known.of(&run.uid).to_vec();
    for (uid, task) in &tasks {
        all.extend(of_task(uid, task));
    }
    for pod in pods.values() {
        if let Some(task) = pod.owner_uid.as_deref().and_then(|owner| tasks.get(owner)) {
            all.extend(of_task(&pod.uid, task));
            all.extend(pod.claims.iter().flat_map(|claim| known.of_claim(claim)).cloned());
        }
    }
    let mut newest = Vec::new();
    warning::merge(&mut newest, all, limits::warnings::OF_A_RUN);
    newest
}

/// The newest Warning that tells why this pod does not begin. Once its volumes are mounted and its sandbox stands none does: what its
/// containers wait for they say themselves. Once it has a node, its claims have their volumes.
pub fn why_it_waits<'a>(pod: &Pod, known: &'a Warnings) -> Option<&'a Warning> {
    if pod.set_up {
        return None;
    }
    let homeless = pod.scheduled_at.is_none();
    let of_pod = known.of(&pod.uid).iter().filter(|warning| warning.reason != UNSCHEDULED);
    let of_claims = pod.claims.iter().filter(|_| homeless).flat_map(|claim| known.of_claim(claim));
    of_pod.chain(of_claims).max_by_key(|warning| warning.last_at)
}
