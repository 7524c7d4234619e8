//! Ways to fail, to order: each row of the fault table can be brought about. It knows what to fail, not how it is done:
//! the API server and the kubelet ask it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

/// How it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The request is carried out, and then the connection breaks: the reply is lost.
    LoseReply,
    /// The connection breaks before anything is done.
    Disconnect,
    /// No answer ever comes.
    Hang,
    /// 409, reason Conflict.
    Conflict,
    /// 410, reason Expired; on a watch, as an ERROR event.
    Expired,
    /// 403, with this explanation.
    Forbidden(String),
    /// 403, as a policy webhook denies.
    WebhookDenial(String),
    /// 422, with this explanation.
    Invalid(String),
    /// 429 with `Retry-After`, in seconds.
    TooManyRequests(u32),
    /// 500.
    InternalError,
    /// 503.
    Unavailable,
    /// The request is carried out; then, after so many world milliseconds, someone deletes the object.
    DeletedBySomeone(u64),
    /// The namespace's quota forbids the pod that a TaskRun wants.
    QuotaExceeded,
    /// The pod's image cannot be pulled.
    ImagePull,
    /// The pod fits on no node.
    Unschedulable,
}

impl Effect {
    /// Whether the cluster fails with a pod, and not the API server with a request.
    fn is_about_pods(&self) -> bool {
        matches!(self, Self::QuotaExceeded | Self::ImagePull | Self::Unschedulable)
    }
}

/// One order to fail.
#[derive(Debug, Clone)]
pub struct Fault {
    /// `None`: any. Not looked at for effects on pods.
    pub verb: Option<Verb>,
    /// The resource's plural (`pipelineruns`); `None`: any. Not looked at for effects on pods.
    pub kind: Option<String>,
    /// A part of the object's name; `None`: any. For a create it is the name in the body.
    pub name: Option<String>,
    pub effect: Effect,
    /// How many requests (or pods) it strikes before it is spent.
    pub times: u32,
}

impl Fault {
    /// Strikes the next request of this verb on this kind.
    pub fn once(verb: Verb, kind: &str, effect: Effect) -> Self {
        Self { verb: Some(verb), kind: Some(kind.into()), name: None, effect, times: 1 }
    }

    /// Strikes the next pod. It stays struck until [`Faults::clear`].
    pub fn pod(effect: Effect) -> Self {
        Self { verb: None, kind: None, name: None, effect, times: 1 }
    }

    /// Only objects whose name contains this.
    #[must_use]
    pub fn named(mut self, part: &str) -> Self {
        self.name = Some(part.into());
        self
    }

    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }
}

/// The connection broke.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("connection reset by peer (the sandbox was told to)")]
pub(crate) struct Broken;

/// The orders that are still open.
#[derive(Debug)]
pub struct Faults {
    open: Mutex<Open>,
    down: AtomicBool,
    tekton_away: watch::Sender<bool>,
    /// Counts up when open connections are to break.
    connections: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Open {
    orders: Vec<Fault>,
    /// Pods that were struck, as (effect, pod name).
    held: BTreeSet<(&'static str, String)>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            open: Mutex::default(),
            down: AtomicBool::new(false),
            tekton_away: watch::Sender::new(false),
            connections: watch::Sender::new(0),
        }
    }
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives an order. Orders are looked at in the order in which they were given.
    pub fn push(&self, fault: Fault) {
        self.lock().orders.push(fault);
    }

    /// Takes all orders back and lets go of the pods that were struck.
    pub fn clear(&self) {
        *self.lock() = Open::default();
        self.set_down(false);
        self.set_tekton_away(false);
    }

    /// Orders that are not spent yet.
    pub fn pending(&self) -> usize {
        self.lock().orders.len()
    }

    /// Breaks every watch and log stream that is open now.
    pub fn drop_watches(&self) {
        self.connections.send_modify(|count| *count += 1);
    }

    /// While down, the API server cannot be reached: connections break, new ones are refused. The cluster behind it
    /// goes on.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
        if down {
            self.drop_watches();
        }
    }

    /// While away, Tekton's controllers do nothing; its webhook and all else go on.
    pub fn set_tekton_away(&self, away: bool) {
        self.tekton_away.send_replace(away);
    }

    /// Waits while Tekton's controllers are away.
    pub(crate) async fn tekton_works(&self) {
        let mut away = self.tekton_away.subscribe();
        while *away.borrow_and_update() {
            // The sender lives as long as this does.
            if away.changed().await.is_err() {
                return;
            }
        }
    }

    pub(crate) fn is_down(&self) -> bool {
        self.down.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> watch::Receiver<u64> {
        self.connections.subscribe()
    }

    /// What strikes this request, if anything.
    pub(crate) fn strike(&self, verb: Verb, kind: &str, name: &str) -> Option<Effect> {
        self.take(|fault| {
            !fault.effect.is_about_pods()
                && fault.verb.is_none_or(|of| of == verb)
                && fault.kind.as_ref().is_none_or(|of| of == kind)
                && fault.name.as_ref().is_none_or(|part| name.contains(part))
        })
    }

    /// Whether this pod is struck by this effect: newly, or still.
    pub(crate) fn holds(&self, effect: &Effect, pod: &str) -> bool {
        let key = (label(effect), pod.to_owned());
        if self.lock().held.contains(&key) {
            return true;
        }
        let struck =
            self.take(|fault| fault.effect == *effect && fault.name.as_ref().is_none_or(|part| pod.contains(part)));
        struck.is_some() && self.lock().held.insert(key)
    }

    fn take(&self, wanted: impl Fn(&Fault) -> bool) -> Option<Effect> {
        let mut open = self.lock();
        let index = open.orders.iter().position(wanted)?;
        let fault = open.orders.get_mut(index)?;
        fault.times = fault.times.saturating_sub(1);
        let effect = fault.effect.clone();
        if fault.times == 0 {
            open.orders.remove(index);
        }
        Some(effect)
    }
}

fn label(effect: &Effect) -> &'static str {
    match effect {
        Effect::QuotaExceeded => "quota",
        Effect::ImagePull => "image",
        _ => "node",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_strikes_what_it_names_as_often_as_it_says() {
        let faults = Faults::default();
        faults.push(Fault::once(Verb::Create, "pipelineruns", Effect::Unavailable).named("pay").times(2));
        assert_eq!(faults.strike(Verb::Get, "pipelineruns", "pay-1"), None);
        assert_eq!(faults.strike(Verb::Create, "configmaps", "pay-1"), None);
        assert_eq!(faults.strike(Verb::Create, "pipelineruns", "other"), None);
        assert_eq!(faults.strike(Verb::Create, "pipelineruns", "pay-1"), Some(Effect::Unavailable));
        assert_eq!(faults.strike(Verb::Create, "pipelineruns", "pay-2"), Some(Effect::Unavailable));
        assert_eq!(faults.strike(Verb::Create, "pipelineruns", "pay-3"), None);
        assert_eq!(faults.pending(), 0);
    }

    #[test]
    fn a_struck_pod_stays_struck_until_cleared() {
        let faults = Faults::default();
        faults.push(Fault::pod(Effect::ImagePull));
        assert!(!faults.holds(&Effect::Unschedulable, "a"));
        assert!(faults.holds(&Effect::ImagePull, "a"));
        assert!(faults.holds(&Effect::ImagePull, "a"));
        assert!(!faults.holds(&Effect::ImagePull, "b"));
        faults.clear();
        assert!(!faults.holds(&Effect::ImagePull, "a"));
    }
}
