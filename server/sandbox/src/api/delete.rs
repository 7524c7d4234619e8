//! Deletion: preconditions, finalizers, grace for pods, propagation, and namespaces with all that is in them.
//! Dependents are removed by the garbage collector (`gc`), not here.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::Kind;
use super::selector::Selector;
use super::status::ApiError;
use super::store::{Key, Object, Tx};
use super::{Api, gc};

/// What happens to what the object owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Propagation {
    #[default]
    Background,
    Foreground,
    Orphan,
}

/// `metav1.DeleteOptions`.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeleteOptions {
    pub(crate) propagation: Propagation,
    pub(crate) uid: Option<String>,
    pub(crate) resource_version: Option<String>,
    /// Seconds; 0 removes a pod at once.
    pub(crate) grace: Option<u64>,
    pub(crate) dry_run: bool,
}

impl DeleteOptions {
    pub(crate) fn from_json(body: &Value) -> Result<Self, ApiError> {
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
        let propagation = match body["propagationPolicy"].as_str() {
            None | Some("" | "Background") => Propagation::Background,
            Some("Foreground") => Propagation::Foreground,
            Some("Orphan") => Propagation::Orphan,
            Some(other) => return Err(ApiError::bad_request(format!("invalid propagationPolicy \"{other}\""))),
        };
        Ok(Self {
            propagation,
            uid: text("/preconditions/uid"),
            resource_version: text("/preconditions/resourceVersion"),
            grace: body["gracePeriodSeconds"].as_u64(),
            dry_run: body["dryRun"].as_array().is_some_and(|list| list.iter().any(|item| item == "All")),
        })
    }

    /// At once, whatever it is.
    pub(crate) fn now() -> Self {
        Self { grace: Some(0), ..Self::default() }
    }
}

/// What became of the object.
#[derive(Debug)]
pub(crate) enum Deleted {
    Gone(Arc<Object>),
    /// It waits for finalizers or its grace period.
    Going(Arc<Object>),
}

impl Api {
    pub(crate) fn delete(&self, kind: &Arc<Kind>, key: &Key, options: &DeleteOptions) -> Result<Deleted, ApiError> {
        let mut tx = self.store.lock();
        let object = tx.get(&kind.qualified, key).ok_or_else(|| ApiError::not_found(kind, &key.name))?;
        if let Some(uid) = options.uid.as_ref().filter(|uid| **uid != object.uid) {
            return Err(ApiError::precondition(kind, &key.name, "UID", uid, &object.uid));
        }
        let version = object.version.to_string();
        if let Some(wanted) = options.resource_version.as_ref().filter(|wanted| **wanted != version) {
            return Err(ApiError::precondition(kind, &key.name, "ResourceVersion", wanted, &version));
        }
        if options.dry_run {
            return Ok(Deleted::Gone(object));
        }
        if options.propagation == Propagation::Orphan {
            gc::orphan(&mut tx, &object.uid);
        }
        let foreground = options.propagation == Propagation::Foreground && !tx.dependents(&object.uid).is_empty();
        let mut value = object.value();
        if foreground {
            add_finalizer(&mut value, gc::FOREGROUND);
        }
        let held = value["metadata"]["finalizers"].as_array().is_some_and(|list| !list.is_empty());
        let graceful = kind.qualified == "pods" && options.grace != Some(0) && is_on_a_node(&value);
        if held || graceful {
            if object.deleting {
                return Ok(Deleted::Going(object));
            }
            let grace = if graceful {
                options.grace.or(value["spec"]["terminationGracePeriodSeconds"].as_u64()).unwrap_or(30)
            } else {
                0
            };
            value["metadata"]["deletionTimestamp"] = self.time.now().into();
            value["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
            return Ok(Deleted::Going(tx.put(kind, value)));
        }
        let gone = tx.remove(&kind.qualified, key).unwrap_or(object);
        self.after_removal(&mut tx, &gone);
        Ok(Deleted::Gone(gone))
    }

    /// Deletes all that the selector picks, and returns it.
    pub(crate) fn delete_collection(
        &self,
        kind: &Arc<Kind>,
        namespace: Option<&str>,
        selector: &Selector,
        options: &DeleteOptions,
    ) -> Result<Vec<Arc<Object>>, ApiError> {
        let picked: Vec<Arc<Object>> = self
            .list(&kind.qualified, namespace)
            .into_iter()
            .filter(|object| selector.matches(&object.labels, |field| object.field(field)))
            .collect();
        for object in &picked {
            match self.delete(kind, &object.key, options) {
                Err(error) if error.code != 404 => return Err(error),
                _ => {}
            }
        }
        Ok(picked)
    }

    fn after_removal(&self, tx: &mut Tx<'_>, gone: &Object) {
        match gone.kind.qualified.as_str() {
            "namespaces" => {
                for collection in tx.collections() {
                    let keys: Vec<Key> =
                        tx.list(&collection, Some(&gone.key.name)).map(|object| object.key.clone()).collect();
                    for key in keys {
                        if let Some(object) = tx.remove(&collection, &key) {
                            self.logs.forget(&object.uid);
                        }
                    }
                }
            }
            "customresourcedefinitions.apiextensions.k8s.io" => {
                let collection = gone.key.name.clone();
                let keys: Vec<Key> = tx.list(&collection, None).map(|object| object.key.clone()).collect();
                for key in keys {
                    tx.remove(&collection, &key);
                }
                tx.inner().kinds.remove_crd(&gone.value());
            }
            "pods" => self.logs.forget(&gone.uid),
            _ => {}
        }
    }
}

fn add_finalizer(value: &mut Value, name: &str) {
    let metadata = &mut value["metadata"];
    if !metadata["finalizers"].is_array() {
        metadata["finalizers"] = json!([]);
    }
    if let Some(list) = metadata["finalizers"].as_array_mut()
        && !list.iter().any(|item| item == name)
    {
        list.push(name.into());
    }
}

fn is_on_a_node(pod: &Value) -> bool {
    pod["spec"].get("nodeName").is_some() && !matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}
