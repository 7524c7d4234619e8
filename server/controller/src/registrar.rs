//! RemediationWorkflows: each is handed to the console's own service, and then says of itself what came of it. Nothing is kept of
//! them here but the names that wait for a look; the catalog is what counts, so at each start all of them are looked at, and those
//! that the catalog remembers and that are not there any more: they were deleted, maybe while no console ran. No finalizer holds an
//! object back for that: a cluster whose console is gone could not delete them.
//! It knows the door (`ClusterIntake`), not the checks.

mod status;

use crate::{
    calls::{CallError, Kind},
    context::Context,
    health::Watched,
    objects::{Registration, RegistrationObject},
    queue::Next,
    recorder::{self, Seen},
    trouble::Trouble,
};
use domain::ports::{AppliedPlaybook, PlaybookApplied};
use kube::runtime::watcher;
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::sync::watch;

/// RemediationWorkflows worked on at a time: a thousand at a start must not stand in the way of decisions.
const WORKERS: usize = 2;
/// The pause while the store does not say which objects it remembers.
const PAUSE: Duration = Duration::from_secs(1);

/// Starts it. It waits for nothing: while the database is away each object says so.
pub fn start(context: &Arc<Context>) {
    for _ in 0..WORKERS {
        let context = Arc::clone(context);
        context.clone().tasks.spawn(async move {
            context.register.work(&context.stop, |name| look(&context, name)).await;
        });
    }
    let listed = context.registrations_listed.subscribe();
    let of = Arc::clone(context);
    context.tasks.spawn(async move {
        of.stop.run_until_cancelled(look_for_the_missing(&of, listed)).await;
    });
    let all = watcher::Config::default();
    recorder::watch::<RegistrationObject, Registration>(context, Watched::Registrations, all, seen);
}

/// Asks for a look at what the watch shows: at the start at each, for the catalog may not have what a status says; afterwards at
/// what has no answer yet, so that our own writes ask for nothing.
fn seen(context: &Context, seen: Seen<Registration>) {
    match seen {
        Seen::There(object) => {
            let answered = object.settled && context.registrations_listed.borrow().is_some();
            if !answered && !object.deleting {
                context.register.add(object.name);
            }
        }
        // Whether it is gone, and not made anew, the look finds out.
        Seen::Gone(object) => context.register.add(object.name),
        Seen::Listed(names) => {
            context.registrations_listed.send_replace(Some(names));
        }
    }
}

/// Asks for a look at each object that the catalog remembers and that no list shows.
async fn look_for_the_missing(context: &Context, mut listed: watch::Receiver<Option<HashSet<String>>>) {
    while listed.changed().await.is_ok() {
        let Some(there) = listed.borrow_and_update().clone() else { continue };
        let kept = loop {
            match context.ports.intake.playbooks_kept(None).await {
                Ok(kept) => break kept,
                Err(error) => {
                    tracing::warn!(%error, "it can't be told which RemediationWorkflows are gone");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        for name in kept.into_iter().filter(|name| !there.contains(name)) {
            context.register.add(name);
        }
    }
}

async fn look(context: &Context, name: String) -> Next {
    register(context, &name).await.unwrap_or_else(|trouble| {
        tracing::warn!(name, ?trouble, "what came of a RemediationWorkflow could not be told");
        trouble.into()
    })
}

async fn register(context: &Context, name: &str) -> Result<Next, Trouble> {
    let object = match context.calls.get(Kind::Registration, &context.config.namespace, name).await {
        Ok(object) => object,
        Err(CallError::NotFound(_)) => {
            for other in context.ports.intake.playbook_gone(name).await? {
                context.register.add(other);
            }
            return Ok(Next::Done);
        }
        Err(other) => return Err(other.into()),
    };
    let meta = &object["metadata"];
    if !meta["deletionTimestamp"].is_null() {
        return Ok(Next::Done);
    }
    let applied = AppliedPlaybook {
        name: name.to_owned(),
        uid: meta["uid"].as_str().unwrap_or_default().to_owned(),
        spec: object["spec"].clone(),
    };
    let came = context.ports.intake.playbook_applied(applied).await;
    let outcome = match &came {
        PlaybookApplied::Registered(_) => "registered",
        PlaybookApplied::Superseded(..) => "superseded",
        PlaybookApplied::Different(_) => "different",
        PlaybookApplied::Invalid(_) => "invalid",
        PlaybookApplied::Later => "later",
    };
    metrics::counter!("kubernaut_registrations_total", "outcome" => outcome).increment(1);
    let news = status::tell(context, &object, &came).await?;
    if news && matches!(came, PlaybookApplied::Registered(_) | PlaybookApplied::Superseded(..)) {
        // What is new of one version may have superseded another.
        for other in context.ports.intake.playbooks_kept(Some(name)).await? {
            context.register.add(other);
        }
    }
    Ok(if came == PlaybookApplied::Later { Next::Again(None) } else { Next::Done })
}
