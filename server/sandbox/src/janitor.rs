//! Keeps the sandbox small: of finished runs and of events only the latest stay, as a cluster's pruner and the API
//! server's event TTL see to. What the console wants to keep, it keeps in its database.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::api::{Api, ChangeKind, DeleteOptions, Key};
use crate::queue::Queue;
use crate::tekton::{self, PIPELINE_RUNS};

/// Finished PipelineRuns, with their TaskRuns, pods and logs.
const RUNS: usize = 300;
const EVENTS: usize = 3_000;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Run(Key),
    Event(Key),
}

/// Runs until it is dropped.
pub(crate) fn run(api: &Arc<Api>) -> impl Future<Output = ()> + Send + use<> {
    let queue = Arc::new(Queue::new());
    let feed = Arc::clone(&queue);
    api.observe(move |change| match (change.object.kind.qualified.as_str(), change.kind) {
        (PIPELINE_RUNS, ChangeKind::Modified) => feed.push(Work::Run(change.object.key.clone())),
        ("events", ChangeKind::Added) => feed.push(Work::Event(change.object.key.clone())),
        _ => {}
    });
    let api = Arc::clone(api);
    async move {
        let (mut runs, mut events) = (VecDeque::new(), VecDeque::new());
        loop {
            match queue.next().await {
                Work::Event(key) => keep(&api, "events", &mut events, (key, String::new()), EVENTS),
                Work::Run(key) => {
                    let Some(run) = api.get(PIPELINE_RUNS, &key).filter(|run| tekton::is_done(&run.value())) else {
                        continue;
                    };
                    let entry = (key, run.uid.clone());
                    if !runs.contains(&entry) {
                        keep(&api, PIPELINE_RUNS, &mut runs, entry, RUNS);
                    }
                }
            }
        }
    }
}

/// Puts an object at the end of the line, and deletes what is too many at its front.
fn keep(api: &Api, qualified: &str, line: &mut VecDeque<(Key, String)>, entry: (Key, String), most: usize) {
    line.push_back(entry);
    while line.len() > most {
        let (Some((key, uid)), Ok(kind)) = (line.pop_front(), api.kind(qualified)) else { return };
        let options = DeleteOptions { uid: (!uid.is_empty()).then_some(uid), ..DeleteOptions::now() };
        // It may have gone in another way.
        let _ = api.delete(&kind, &key, &options);
    }
}
