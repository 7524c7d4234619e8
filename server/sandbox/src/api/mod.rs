//! A small API server: the verbs of Kubernetes over objects that are plain JSON.
//! It knows no Tekton, no containers and no workloads: those are controllers that use it like anyone else, and an
//! admission hook that is handed in.

mod apply;
mod cel;
mod crd;
mod delete;
mod discovery;
mod envelope;
pub(crate) mod gc;
mod http;
mod identities;
pub(crate) mod kinds;
pub(crate) mod logs;
mod names;
mod pages;
mod patch;
mod reply;
mod schema;
mod selector;
mod service;
pub(crate) mod status;
pub(crate) mod store;
mod strategy;
mod verbs;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

pub(crate) use self::delete::{DeleteOptions, Propagation};
use self::identities::Identities;
pub(crate) use self::kinds::Kind;
use self::logs::Logs;
pub(crate) use self::service::Service;
pub(crate) use self::status::ApiError;
pub(crate) use self::store::{Change, ChangeKind, Key, Object};
use self::store::{Store, Tx};
pub(crate) use self::verbs::{Sub, Write};
use crate::digest;
use crate::faults::Faults;
use crate::time::Time;

/// What an admission hook is asked about.
pub(crate) struct Review<'a> {
    pub(crate) kind: &'a Kind,
    /// What is there already; `None` on create.
    pub(crate) old: Option<&'a Value>,
}

/// The webhooks: one may change what is written, one may refuse it.
pub(crate) struct Admission {
    pub(crate) mutate: fn(&Review<'_>, &mut Value) -> Result<(), ApiError>,
    pub(crate) validate: fn(&Review<'_>, &Value) -> Result<(), ApiError>,
}

impl Admission {
    fn admit(&self, review: &Review<'_>, object: &mut Value) -> Result<(), ApiError> {
        (self.mutate)(review, object)
    }

    fn judge(&self, review: &Review<'_>, object: &Value) -> Result<(), ApiError> {
        (self.validate)(review, object)
    }
}

/// The API server's state and verbs. All verbs are synchronous; none waits.
pub(crate) struct Api {
    store: Store,
    pub(crate) time: Time,
    pub(crate) logs: Logs,
    pub(crate) faults: Arc<Faults>,
    pub(crate) identities: Identities,
    admission: Admission,
}

impl Api {
    pub(crate) fn new(time: Time, faults: Arc<Faults>, admission: Admission) -> Self {
        Self { store: Store::new(), time, logs: Logs::default(), faults, identities: Identities::default(), admission }
    }

    pub(crate) fn observe(&self, observer: impl Fn(&Change) + Send + Sync + 'static) {
        self.store.observe(observer);
    }

    /// A served kind by its qualified plural (`pods`, `pipelineruns.tekton.dev`).
    pub(crate) fn kind(&self, qualified: &str) -> Result<Arc<Kind>, ApiError> {
        self.store.lock().kinds().by_qualified(qualified).ok_or_else(ApiError::no_such_resource)
    }

    pub(crate) fn get(&self, qualified: &str, key: &Key) -> Option<Arc<Object>> {
        self.store.lock().get(qualified, key)
    }

    /// The parsed object.
    pub(crate) fn read(&self, qualified: &str, key: &Key) -> Option<Value> {
        self.get(qualified, key).map(|object| object.value())
    }

    pub(crate) fn list(&self, qualified: &str, namespace: Option<&str>) -> Vec<Arc<Object>> {
        self.store.lock().list(qualified, namespace).cloned().collect()
    }

    /// Objects of a kind that an object owns.
    pub(crate) fn owned(&self, uid: &str, qualified: &str) -> Vec<Arc<Object>> {
        let tx = self.store.lock();
        let dependents = tx.dependents(uid);
        dependents.iter().filter(|(of, _)| of == qualified).filter_map(|(of, key)| tx.get(of, key)).collect()
    }

    /// Forgets the past, so that watches that resume are answered 410.
    pub(crate) fn compact(&self) {
        self.store.compact();
    }

    fn fresh_uid(&self, kind: &Kind, key: &Key, version: u64) -> String {
        digest::uuid(&[
            &kind.qualified,
            &key.namespace,
            &key.name,
            &version.to_string(),
            &self.time.now_ms().to_string(),
        ])
    }
}

/// Query parameters of a request.
pub(crate) type Query = BTreeMap<String, String>;

/// Whether a write asks only to be checked.
fn is_dry_run(query: &Query) -> Result<bool, ApiError> {
    match query.get("dryRun").map(String::as_str) {
        None | Some("") => Ok(false),
        Some("All") => Ok(true),
        Some(other) => {
            Err(ApiError::bad_request(format!("dryRun: Unsupported value: \"{other}\": supported values: \"All\"")))
        }
    }
}

/// Looks at the store in one transaction.
impl Api {
    pub(crate) fn transaction<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> T) -> T {
        work(&mut self.store.lock())
    }
}
