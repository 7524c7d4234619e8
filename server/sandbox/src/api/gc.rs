//! The garbage collector: what an object owns goes when its last owner has gone. It is woken by changes and knows no
//! kinds.

use std::sync::Arc;

use super::Api;
use super::delete::DeleteOptions;
use super::store::{ChangeKind, Key, Object, Tx};
use crate::queue::Queue;

/// The finalizer that makes an object wait for what it owns.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    /// This owner has gone: look after what it owned.
    Gone(String),
    /// This object may have no living owner, or waits for what it owns.
    Check(String),
}

/// Runs until it is dropped. Observes from the moment it is called, so that nothing is missed before the first poll.
pub(crate) fn run(api: &Arc<Api>) -> impl Future<Output = ()> + Send + use<> {
    let queue = Arc::new(Queue::new());
    let feed = Arc::clone(&queue);
    api.observe(move |change| {
        let object = &change.object;
        if change.kind == ChangeKind::Deleted {
            feed.push(Work::Gone(object.uid.clone()));
            object.owners.iter().for_each(|owner| feed.push(Work::Check(owner.clone())));
        } else if object.deleting || (change.kind == ChangeKind::Added && !object.owners.is_empty()) {
            feed.push(Work::Check(object.uid.clone()));
        }
    });
    let api = Arc::clone(api);
    async move {
        loop {
            match queue.next().await {
                Work::Gone(uid) => {
                    let owned = api.transaction(|tx| tx.dependents(&uid));
                    for (qualified, key) in &owned {
                        collect(&api, qualified, key);
                    }
                }
                Work::Check(uid) => check(&api, &uid),
            }
        }
    }
}

/// Deletes an object none of whose owners lives; else drops its references to the dead ones.
fn collect(api: &Api, qualified: &str, key: &Key) {
    let Some(object) = api.get(qualified, key) else { return };
    let dead: Vec<&String> = api.transaction(|tx| object.owners.iter().filter(|owner| !tx.exists(owner)).collect());
    if dead.is_empty() {
        return;
    }
    if dead.len() == object.owners.len() {
        // The uid keeps it from hitting a new object of the same name; whoever was faster has done the work.
        let options = DeleteOptions { uid: Some(object.uid.clone()), ..DeleteOptions::default() };
        let _ = api.delete(&object.kind, key, &options);
        return;
    }
    api.modify(qualified, key, |value| {
        if let Some(owners) = value["metadata"]["ownerReferences"].as_array_mut() {
            owners.retain(|owner| owner["uid"].as_str().is_none_or(|uid| !dead.iter().any(|gone| *gone == uid)));
        }
    });
}

fn check(api: &Api, uid: &str) {
    let Some(object) = api.transaction(|tx| tx.by_uid(uid)) else { return };
    if !object.deleting {
        collect(api, &object.kind.qualified, &object.key);
        return;
    }
    let waits =
        object.value()["metadata"]["finalizers"].as_array().is_some_and(|list| list.iter().any(|f| f == FOREGROUND));
    if !waits {
        return;
    }
    // It waits for those alone that say so; the others go when it has gone.
    for dependent in blocking(api, uid) {
        let _ = api.delete(&dependent.kind, &dependent.key, &DeleteOptions::default());
    }
    if blocking(api, uid).is_empty() {
        api.modify(&object.kind.qualified, &object.key, |value| {
            if let Some(list) = value["metadata"]["finalizers"].as_array_mut() {
                list.retain(|finalizer| finalizer != FOREGROUND);
            }
        });
    }
}

/// What an object owns and must not go before (`blockOwnerDeletion`).
fn blocking(api: &Api, uid: &str) -> Vec<Arc<Object>> {
    let owned = api.transaction(|tx| tx.dependents(uid));
    let blocks = |object: &Arc<Object>| {
        let value = object.value();
        let mut owners = value["metadata"]["ownerReferences"].as_array().into_iter().flatten();
        owners.any(|owner| owner["uid"] == uid && owner["blockOwnerDeletion"] == true)
    };
    owned.iter().filter_map(|(qualified, key)| api.get(qualified, key)).filter(blocks).collect()
}

/// Cuts the ties to an owner that is deleted alone.
pub(crate) fn orphan(tx: &mut Tx<'_>, uid: &str) {
    for (qualified, key) in tx.dependents(uid) {
        let Some(object) = tx.get(&qualified, &key) else { continue };
        let mut value = object.value();
        if let Some(owners) = value["metadata"]["ownerReferences"].as_array_mut() {
            owners.retain(|owner| owner["uid"] != uid);
        }
        tx.put(&object.kind, value);
    }
}
