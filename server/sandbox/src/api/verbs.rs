//! Create, update and patch: one way into the store, with the checks in the order of kube-apiserver.
//! It knows no HTTP.

use std::sync::Arc;

use serde_json::{Value, json};

use super::envelope::{envelope, refuse_unknown, shape};
use super::kinds::Kind;
use super::names;
use super::patch::{self, Patch};
use super::status::{ApiError, Cause};
use super::store::{self, Key, Object, Tx};
use super::{Api, Review, crd, strategy};
use crate::digest;

/// How a write is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Write {
    /// Only check.
    pub(crate) dry_run: bool,
    /// Refuse fields that nobody knows, instead of dropping them.
    pub(crate) strict: bool,
}

/// Which part of an object a write is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sub {
    Main,
    Status,
}

const SYSTEM_METADATA: [&str; 8] = [
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "name",
    "namespace",
    "generateName",
];

impl Api {
    /// Creates an object; `namespace` is the one in the path (empty for cluster-scoped kinds).
    pub(crate) fn create(
        &self,
        kind: &Arc<Kind>,
        namespace: &str,
        mut body: Value,
        write: Write,
    ) -> Result<Arc<Object>, ApiError> {
        envelope(kind, &mut body)?;
        let mut tx = self.store.lock();
        let key = self.name_for(kind, namespace, &mut body, &tx)?;
        if let Some(version) = body["metadata"]["resourceVersion"].as_str().filter(|v| !v.is_empty() && *v != "0") {
            let why = format!("resourceVersion should not be set on objects to be created (found {version})");
            return Err(ApiError::bad_request(why));
        }
        if kind.namespaced {
            check_namespace(kind, &key, &tx)?;
        }
        if tx.get(&kind.qualified, &key).is_some() {
            return Err(ApiError::already_exists(kind, &key.name));
        }
        if let Some(metadata) = body["metadata"].as_object_mut() {
            for field in [
                "resourceVersion",
                "uid",
                "creationTimestamp",
                "generation",
                "deletionTimestamp",
                "managedFields",
                "selfLink",
            ] {
                metadata.remove(field);
            }
        }
        if kind.status
            && let Some(map) = body.as_object_mut()
        {
            map.remove("status");
        }
        let sent = if write.strict { body.clone() } else { Value::Null };
        strategy::on_create(kind, &mut body);
        if let Some(schema) = &kind.schema {
            schema.prune_and_default(&mut body);
        }
        self.admission.admit(&Review { kind, old: None }, &mut body)?;
        if write.strict {
            refuse_unknown(kind, &sent, &body)?;
        }
        check(kind, &key, &body, None)?;
        self.admission.judge(&Review { kind, old: None }, &body)?;
        let uid = self.fresh_uid(kind, &key, tx.version());
        let metadata = &mut body["metadata"];
        metadata["uid"] = uid.into();
        metadata["creationTimestamp"] = self.time.now().into();
        if kind.has_generation() {
            metadata["generation"] = 1.into();
        }
        Ok(self.commit(&mut tx, kind, body, write))
    }

    /// Replaces an object, or its status.
    pub(crate) fn update(
        &self,
        kind: &Arc<Kind>,
        key: &Key,
        sub: Sub,
        mut body: Value,
        write: Write,
    ) -> Result<Arc<Object>, ApiError> {
        envelope(kind, &mut body)?;
        let mut tx = self.store.lock();
        let old = tx.get(&kind.qualified, key).ok_or_else(|| ApiError::not_found(kind, &key.name))?;
        if let Some(name) = body["metadata"]["name"].as_str().filter(|name| *name != key.name) {
            let why = format!("the name of the object ({name}) does not match the name on the URL ({})", key.name);
            return Err(ApiError::bad_request(why));
        }
        if kind.custom && body["metadata"]["resourceVersion"].as_str().is_none_or(str::is_empty) {
            let cause = Cause {
                field: "metadata.resourceVersion".into(),
                reason: "FieldValueInvalid",
                message: "Invalid value: 0x0: must be specified for an update".into(),
            };
            return Err(ApiError::invalid(kind, &key.name, &[cause]));
        }
        self.replace(&mut tx, kind, &old, body, sub, write)
    }

    /// Patches an object, or its status. Apply creates what is not there; the flag says so.
    pub(crate) fn patch(
        &self,
        kind: &Arc<Kind>,
        key: &Key,
        sub: Sub,
        patch: &Patch,
        write: Write,
    ) -> Result<(Arc<Object>, bool), ApiError> {
        if let Patch::Apply { body, manager, force } = patch {
            return self.apply(kind, key, sub, (body, manager, *force), write);
        }
        let mut tx = self.store.lock();
        let old = tx.get(&kind.qualified, key).ok_or_else(|| ApiError::not_found(kind, &key.name))?;
        let body = patch::patched(&old.value(), patch)?;
        shape(&body).map_err(|error| ApiError::unreadable(&body, &error.message))?;
        self.replace(&mut tx, kind, &old, body, sub, write).map(|object| (object, false))
    }

    /// Merges `body` into an object, as `kubectl apply` updates one.
    pub(crate) fn merge(&self, kind: &Arc<Kind>, key: &Key, body: &Value) -> Result<Arc<Object>, ApiError> {
        self.patch(kind, key, Sub::Main, &Patch::Strategic(body.clone()), Write::default()).map(|(object, _)| object)
    }

    /// Changes an object as the system's own controllers do: any part of it, with no admission.
    /// `None` when it is not there.
    pub(crate) fn modify(&self, qualified: &str, key: &Key, change: impl FnOnce(&mut Value)) -> Option<Arc<Object>> {
        let mut tx = self.store.lock();
        let old = tx.get(qualified, key)?;
        let before = old.value();
        let mut value = before.clone();
        change(&mut value);
        if value == before {
            return Some(old);
        }
        bump_generation(&old.kind, &before, &mut value);
        Some(self.commit(&mut tx, &old.kind, value, Write::default()))
    }

    pub(super) fn replace(
        &self,
        tx: &mut Tx<'_>,
        kind: &Arc<Kind>,
        old: &Arc<Object>,
        mut body: Value,
        sub: Sub,
        write: Write,
    ) -> Result<Arc<Object>, ApiError> {
        let name = &old.key.name;
        let before = old.value();
        envelope(kind, &mut body)?;
        let metadata = &body["metadata"];
        if metadata["resourceVersion"].as_str().is_some_and(|v| !v.is_empty() && v != old.version.to_string()) {
            return Err(ApiError::modified(kind, name));
        }
        if let Some(uid) = metadata["uid"].as_str().filter(|uid| !uid.is_empty() && *uid != old.uid) {
            let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", old.uid);
            return Err(ApiError::conflict(kind, name, &why));
        }
        if sub == Sub::Status {
            let status = body.as_object_mut().and_then(|map| map.remove("status"));
            body = before.clone();
            set_or_remove(&mut body, "status", status);
        } else if kind.status {
            set_or_remove(&mut body, "status", before.get("status").cloned());
        }
        keep_system_metadata(&before, &mut body);
        strategy::on_write(kind, &mut body);
        if let Some(schema) = &kind.schema {
            schema.prune_and_default(&mut body);
        }
        let review = Review { kind, old: Some(&before) };
        if sub == Sub::Main {
            self.admission.admit(&review, &mut body)?;
        }
        check(kind, &old.key, &body, Some(&before))?;
        if sub == Sub::Main {
            self.admission.judge(&review, &body)?;
        }
        body["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
        if body == before {
            return Ok(Arc::clone(old));
        }
        bump_generation(kind, &before, &mut body);
        Ok(self.commit(tx, kind, body, write))
    }

    /// Writes a checked object, or, when it was only waiting for its last finalizer, removes it.
    fn commit(&self, tx: &mut Tx<'_>, kind: &Arc<Kind>, mut body: Value, write: Write) -> Arc<Object> {
        if write.dry_run {
            return Arc::new(store::object(kind, &body, 0));
        }
        let definition = kind.qualified == "customresourcedefinitions.apiextensions.k8s.io";
        if definition {
            crd::establish(&mut body, tx.kinds(), &self.time.now());
        }
        let finalizers = body["metadata"]["finalizers"].as_array().map_or(0, Vec::len);
        let done = body["metadata"].get("deletionTimestamp").is_some() && finalizers == 0 && kind.qualified != "pods";
        let object = tx.put(kind, body);
        if definition && crd::is_established(&object.value()) {
            tx.inner().kinds.add_crd(&object.value());
        }
        if done { tx.remove(&kind.qualified, &object.key).unwrap_or(object) } else { object }
    }

    fn name_for(&self, kind: &Kind, namespace: &str, body: &mut Value, tx: &Tx<'_>) -> Result<Key, ApiError> {
        let Value::Object(_) = body["metadata"] else {
            return Err(ApiError::bad_request("the object has no metadata"));
        };
        if kind.namespaced {
            let named = body["metadata"]["namespace"].as_str().unwrap_or(namespace);
            if named != namespace {
                return Err(ApiError::bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request",
                ));
            }
            body["metadata"]["namespace"] = namespace.into();
        } else if let Some(metadata) = body["metadata"].as_object_mut() {
            metadata.remove("namespace");
        }
        let name = body["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if !name.is_empty() {
            return Ok(Key::new(if kind.namespaced { namespace } else { "" }, name));
        }
        let Some(prefix) = body["metadata"]["generateName"].as_str().map(ToOwned::to_owned).filter(|p| !p.is_empty())
        else {
            let cause = Cause {
                field: "metadata.name".into(),
                reason: "FieldValueRequired",
                message: "Required value: name or generateName is required".into(),
            };
            return Err(ApiError::invalid(kind, "", &[cause]));
        };
        let suffix =
            digest::suffix(&[&prefix, namespace, &tx.version().to_string(), &self.time.now_ms().to_string()], 5);
        let name = format!("{}{suffix}", prefix.chars().take(58).collect::<String>());
        body["metadata"]["name"] = name.clone().into();
        Ok(Key::new(if kind.namespaced { namespace } else { "" }, name))
    }
}

fn check_namespace(kind: &Kind, key: &Key, tx: &Tx<'_>) -> Result<(), ApiError> {
    let namespace = tx.get("namespaces", &Key::new("", key.namespace.as_str()));
    let Some(namespace) = namespace else {
        let namespaces = tx.kinds().by_qualified("namespaces").ok_or_else(ApiError::no_such_resource)?;
        return Err(ApiError::not_found(&namespaces, &key.namespace));
    };
    if namespace.deleting {
        let why = format!("unable to create new content in namespace {} because it is being terminated", key.namespace);
        return Err(ApiError::forbidden(kind, &key.name, &why));
    }
    Ok(())
}

fn keep_system_metadata(before: &Value, body: &mut Value) {
    for field in SYSTEM_METADATA {
        set_or_remove(&mut body["metadata"], field, before["metadata"].get(field).cloned());
    }
    set_or_remove(&mut body["metadata"], "managedFields", None);
}

fn set_or_remove(value: &mut Value, field: &str, content: Option<Value>) {
    let Some(map) = value.as_object_mut() else { return };
    match content {
        Some(content) => {
            map.insert(field.to_owned(), content);
        }
        None => {
            map.remove(field);
        }
    }
}

/// Anything but metadata and status counts as a new generation.
fn bump_generation(kind: &Kind, before: &Value, body: &mut Value) {
    if !kind.has_generation() {
        return;
    }
    let content = |value: &Value| {
        let mut map = value.as_object().cloned().unwrap_or_default();
        map.remove("metadata");
        map.remove("status");
        map
    };
    if content(before) != content(body) {
        let generation = before["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
        body["metadata"]["generation"] = json!(generation);
    }
}

fn check(kind: &Kind, key: &Key, body: &Value, old: Option<&Value>) -> Result<(), ApiError> {
    let mut causes = names::metadata_faults(body);
    if old.is_none() {
        causes.extend(names::name_faults(kind, &key.name));
    }
    causes.extend(strategy::validate(kind, body, old));
    if let Some(schema) = &kind.schema {
        causes.extend(schema.validate(body, old));
    }
    if kind.qualified == "customresourcedefinitions.apiextensions.k8s.io" {
        causes.extend(crd::validate(body));
    }
    if causes.is_empty() { Ok(()) } else { Err(ApiError::invalid(kind, &key.name, &causes)) }
}
