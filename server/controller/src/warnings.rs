//! Warnings of Kubernetes as signals, in namespaces that somebody named: each has a watch of its own, and what is seen there is handed to
//! the intake, many at a time. It sees what Events tell and nothing else: that a container was killed for memory mostly stands in its pod's
//! status alone.

use crate::{
    context::Context,
    objects::{EventObject, Warned},
};
use domain::{
    signal::{Told, event::signal, mapping::Mapping},
    time::Timestamp,
};
use futures::{StreamExt, TryStreamExt};
use kube::{
    Api,
    runtime::{
        WatchStreamExt,
        watcher::{self, watcher},
    },
};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// Words that wait to be handed on. When there are more the watches wait, too.
const WAITING: usize = 500;
/// Words that are handed on at a time.
const AT_ONCE: usize = 100;
/// After how long words are handed on again that could not be.
const AGAIN: Duration = Duration::from_secs(2);

/// Whose Warnings are signals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventNamespaces {
    /// The namespaces; none are watched where there are none.
    pub namespaces: Vec<String>,
    /// Warnings that were last told longer ago than this are over, milliseconds.
    pub quiet_ms: i64,
    /// Which of them are signals.
    pub mapping: Arc<Mapping>,
}

/// Starts the watches.
pub fn start(context: &Arc<Context>) {
    let namespaces = &context.config.events.namespaces;
    if namespaces.is_empty() {
        return;
    }
    let (tell, told) = mpsc::channel(WAITING);
    for namespace in namespaces {
        let (context, tell, namespace) = (Arc::clone(context), tell.clone(), namespace.clone());
        context.clone().tasks.spawn(async move { watch(&context, &namespace, &tell).await });
    }
    let context = Arc::clone(context);
    context.clone().tasks.spawn(async move { hand_on(&context, told).await });
}

async fn watch(context: &Context, namespace: &str, tell: &mpsc::Sender<Told>) {
    let api = Api::<EventObject>::namespaced(context.client.clone(), namespace);
    // Anybody may write large ones: few at a time.
    let warnings = watcher::Config::default().fields("type=Warning").page_size(50);
    let events = watcher(api, warnings).default_backoff().take_until(context.stop.cancelled());
    let mut events = std::pin::pin!(events);
    let mut broken = false;
    loop {
        let event = match events.try_next().await {
            Ok(None) => return,
            Ok(Some(watcher::Event::InitApply(event) | watcher::Event::Apply(event))) => event,
            Ok(Some(watcher::Event::InitDone)) => {
                broken = false;
                continue;
            }
            // One that is gone was only forgotten.
            Ok(Some(watcher::Event::Init | watcher::Event::Delete(_))) => continue,
            Err(error) => {
                metrics::counter!("kubernaut_watch_restarts_total", "kind" => "warnings").increment(1);
                if !std::mem::replace(&mut broken, true) {
                    tracing::warn!(
                        namespace,
                        %error,
                        "Warnings can't be watched; where the right is missing, give it as docs/signals.md says"
                    );
                }
                continue;
            }
        };
        let Some(word) = word(context.cluster_now(), namespace, event.into(), &context.config.events) else { continue };
        // Nobody listens any more when this console's turn is over.
        if tell.send(word).await.is_err() {
            return;
        }
    }
}

/// What a Warning tells now; none where it is no signal, or long over.
fn word(now: Timestamp, namespace: &str, told: Warned, of: &EventNamespaces) -> Option<Told> {
    let mut warning = told.warning;
    // When something was told is for its writer to say, but not that it is yet to come.
    warning.last_at = warning.last_at.min(now);
    warning.first_at = warning.first_at.min(warning.last_at);
    if now.since(warning.last_at) >= of.quiet_ms {
        return None;
    }
    signal(namespace, &warning, &of.mapping)
}

async fn hand_on(context: &Context, mut told: mpsc::Receiver<Told>) {
    let mut words = Vec::new();
    while context.stop.run_until_cancelled(told.recv_many(&mut words, AT_ONCE)).await.is_some_and(|many| many > 0) {
        while let Err(error) = context.ports.signals.warned(words.clone()).await {
            tracing::warn!(%error, "Warnings can't be kept; they are handed on again");
            if context.stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await.is_none() {
                return;
            }
        }
        words.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{signal::Word, warning::Warning};

    const NOW: Timestamp = Timestamp::from_millis(1_795_402_800_000);

    fn warned(reason: &str, first_ago: i64, last_ago: i64) -> Warned {
        let warning = Warning {
            kind: "Pod".into(),
            object: "web-1".into(),
            task: None,
            reason: reason.into(),
            message: "Back-off restarting failed container".into(),
            count: 2,
            first_at: NOW.plus_ms(-first_ago),
            last_at: NOW.plus_ms(-last_ago),
        };
        Warned { uid: "u".into(), warning }
    }

    #[test]
    fn only_signals_that_are_not_over_are_told_and_none_from_the_future() {
        let of = EventNamespaces { namespaces: vec!["shop".into()], quiet_ms: 900_000, mapping: Arc::default() };
        let told = |warned: Warned| word(NOW, "shop", warned, &of);
        let fresh = told(warned("BackOff", 60_000, 1000)).unwrap();
        assert_eq!(fresh.word, Word::Firing { seen_at: Some(NOW.plus_ms(-1000)) });
        assert_eq!(told(warned("BackOff", 3_600_000, 900_000)), None, "long over");
        assert_eq!(told(warned("Pulling", 60_000, 1000)), None, "no signal");
        let ahead = told(warned("BackOff", -60_000, -120_000)).unwrap();
        assert_eq!((ahead.starts_at, ahead.word), (NOW, Word::Firing { seen_at: Some(NOW) }));
    }
}
