//! RemediationWorkflows: each is handed to the console's own service, and then says of itself what came of it. Nothing is kept of
//! them but the names that wait for a look; the catalog is what counts, so at each start all of them are looked at.
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
use std::sync::{Arc, atomic::Ordering};

/// RemediationWorkflows worked on at a time: a thousand at a start must not stand in the way of decisions.
const WORKERS: usize = 2;

/// Starts it. It waits for nothing: while the database is away each object says so.
pub fn start(context: &Arc<Context>) {
    for _ in 0..WORKERS {
        let context = Arc::clone(context);
        context.clone().tasks.spawn(async move {
            context.register.work(&context.stop, |name| look(&context, name)).await;
        });
    }
    let all = watcher::Config::default();
    recorder::watch::<RegistrationObject, Registration>(context, Watched::Registrations, all, seen);
}

/// Asks for a look at what the watch shows: at the start at each, for the catalog may not have what a status says; afterwards at
/// what has no answer yet, so that our own writes ask for nothing.
fn seen(context: &Context, seen: Seen<Registration>) {
    match seen {
        Seen::There(object) => {
            let answered = object.settled && context.registrations_listed.load(Ordering::Relaxed);
            if !answered && !object.deleting {
                context.register.add(object.name);
            }
        }
        // A version that is registered stays so, whatever becomes of the object.
        Seen::Gone(_) => {}
        Seen::Listed(_) => context.registrations_listed.store(true, Ordering::Relaxed),
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
        Err(CallError::NotFound(_)) => return Ok(Next::Done),
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
        PlaybookApplied::Different(_) => "different",
        PlaybookApplied::Invalid(_) => "invalid",
        PlaybookApplied::Later => "later",
    };
    metrics::counter!("kubernaut_registrations_total", "outcome" => outcome).increment(1);
    status::tell(context, &object, &came).await?;
    Ok(if came == PlaybookApplied::Later { Next::Again(None) } else { Next::Done })
}
