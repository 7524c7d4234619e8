//! The objects, under one monotonically increasing resourceVersion, and the recent changes that watches replay.
//! Objects are kept as the bytes that go on the wire: small, and sent without being written again.
//! It knows no verbs and no rules; everything happens under one lock, so a verb is a transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::watch;

use super::kinds::{Kind, Kinds};
use super::selector::Labels;

/// How much of the past watches can resume from.
const LOG_CHANGES: usize = 4096;
const LOG_BYTES: usize = 4 << 20;

/// Namespace (empty for cluster-scoped kinds) and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub namespace: String,
    pub name: String,
}

impl Key {
    pub(crate) fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

/// One object at one resourceVersion.
#[derive(Debug)]
pub struct Object {
    pub kind: Arc<Kind>,
    pub key: Key,
    pub uid: String,
    pub version: u64,
    pub labels: Arc<Labels>,
    /// uids of its owners.
    pub owners: Vec<String>,
    /// On its way out: has a deletionTimestamp.
    pub deleting: bool,
    /// As it goes on the wire.
    pub json: Bytes,
}

impl Object {
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.json).unwrap_or_default()
    }

    /// A field as field selectors name it.
    pub(crate) fn field(&self, name: &str) -> String {
        match name {
            "metadata.name" => self.key.name.clone(),
            "metadata.namespace" => self.key.namespace.clone(),
            other => {
                let value = self.value();
                let found = value.pointer(&format!("/{}", other.replace('.', "/")));
                match found {
                    Some(Value::String(text)) => text.clone(),
                    Some(Value::Null) | None => String::new(),
                    Some(scalar) => scalar.to_string(),
                }
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Added,
    Modified,
    Deleted,
}

/// One committed change.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) kind: ChangeKind,
    pub(crate) object: Arc<Object>,
    /// As it was before, for watches with a selector that the object leaves or enters.
    pub(crate) before: Option<Arc<Object>>,
}

type Observer = Box<dyn Fn(&Change) + Send + Sync>;
type Collection = BTreeMap<Key, Arc<Object>>;

/// See the module.
pub(crate) struct Store {
    inner: Mutex<Inner>,
    head: watch::Sender<u64>,
}

pub(crate) struct Inner {
    pub(crate) kinds: Kinds,
    version: u64,
    collections: HashMap<String, Collection>,
    /// Owner uid → what it owns.
    dependents: HashMap<String, BTreeSet<(String, Key)>>,
    /// Every uid that exists, with where its object is.
    uids: HashMap<String, (String, Key)>,
    /// What each field manager last applied to an object: (uid, manager, subresource).
    pub(crate) applied: BTreeMap<(String, String, String), Bytes>,
    log: VecDeque<Arc<Change>>,
    log_bytes: usize,
    /// Changes up to here are forgotten.
    compacted: u64,
    observers: Vec<Observer>,
}

/// The store, locked. Changes are announced to watches when it is dropped.
pub(crate) struct Tx<'a> {
    inner: MutexGuard<'a, Inner>,
    head: &'a watch::Sender<u64>,
}

impl Store {
    pub(crate) fn new() -> Self {
        let inner = Inner {
            kinds: Kinds::default(),
            version: 1,
            collections: HashMap::new(),
            dependents: HashMap::new(),
            uids: HashMap::new(),
            applied: BTreeMap::new(),
            log: VecDeque::new(),
            log_bytes: 0,
            compacted: 1,
            observers: Vec::new(),
        };
        Self { inner: Mutex::new(inner), head: watch::Sender::new(1) }
    }

    pub(crate) fn lock(&self) -> Tx<'_> {
        Tx { inner: self.inner.lock().unwrap_or_else(PoisonError::into_inner), head: &self.head }
    }

    /// Told of each change while it is being committed; it must not call back into the store.
    pub(crate) fn observe(&self, observer: impl Fn(&Change) + Send + Sync + 'static) {
        self.lock().inner.observers.push(Box::new(observer));
    }

    /// Wakes when the store's version moves.
    pub(crate) fn head(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Changes of one kind after `version`, oldest first, and the version they lead to.
    /// `Err` holds the oldest version that can be resumed from.
    pub(crate) fn since(&self, qualified: &str, version: u64) -> Result<(Vec<Arc<Change>>, u64), u64> {
        let tx = self.lock();
        if version < tx.inner.compacted {
            return Err(tx.inner.compacted);
        }
        let start = tx.inner.log.partition_point(|change| change.object.version <= version);
        let changes =
            tx.inner.log.range(start..).filter(|change| change.object.kind.qualified == qualified).cloned().collect();
        Ok((changes, tx.inner.version))
    }

    /// Forgets all changes so far: watches that resume from before are answered 410.
    pub(crate) fn compact(&self) {
        let mut tx = self.lock();
        tx.inner.log.clear();
        tx.inner.log_bytes = 0;
        tx.inner.version += 1;
        tx.inner.compacted = tx.inner.version;
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        let version = self.inner.version;
        self.head.send_if_modified(|head| std::mem::replace(head, version) != version);
    }
}

impl Tx<'_> {
    pub(crate) fn kinds(&self) -> &Kinds {
        &self.inner.kinds
    }

    pub(crate) fn inner(&mut self) -> &mut Inner {
        &mut self.inner
    }

    pub(crate) fn version(&self) -> u64 {
        self.inner.version
    }

    /// The oldest version that can be resumed from.
    pub(crate) fn oldest(&self) -> u64 {
        self.inner.compacted
    }

    pub(crate) fn get(&self, qualified: &str, key: &Key) -> Option<Arc<Object>> {
        self.inner.collections.get(qualified)?.get(key).cloned()
    }

    /// Objects of a kind in key order, in one namespace or in all (`None`).
    pub(crate) fn list<'a>(
        &'a self,
        qualified: &str,
        namespace: Option<&str>,
    ) -> impl Iterator<Item = &'a Arc<Object>> + use<'a> {
        let from = Key::new(namespace.unwrap_or_default(), "");
        let only = namespace.map(ToOwned::to_owned);
        self.inner
            .collections
            .get(qualified)
            .into_iter()
            .flat_map(move |collection| collection.range(from.clone()..))
            .take_while(move |(key, _)| only.as_ref().is_none_or(|namespace| key.namespace == *namespace))
            .map(|(_, object)| object)
    }

    /// All collections' names.
    pub(crate) fn collections(&self) -> Vec<String> {
        self.inner.collections.keys().cloned().collect()
    }

    pub(crate) fn dependents(&self, uid: &str) -> Vec<(String, Key)> {
        self.inner.dependents.get(uid).into_iter().flatten().cloned().collect()
    }

    pub(crate) fn exists(&self, uid: &str) -> bool {
        self.inner.uids.contains_key(uid)
    }

    pub(crate) fn by_uid(&self, uid: &str) -> Option<Arc<Object>> {
        let (qualified, key) = self.inner.uids.get(uid)?;
        self.get(qualified, key)
    }

    /// Writes `value` (whose metadata is complete but for the resourceVersion) as it is.
    pub(crate) fn put(&mut self, kind: &Arc<Kind>, mut value: Value) -> Arc<Object> {
        self.inner.version += 1;
        let version = self.inner.version;
        value["metadata"]["resourceVersion"] = Value::String(version.to_string());
        let object = Arc::new(object(kind, &value, version));
        let before = self.remove_indexed(&object.kind.qualified, &object.key);
        self.index(&object);
        let change = if before.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        self.record(change, Arc::clone(&object), before);
        object
    }

    /// Removes an object; its last state, at a new version, is what watches are sent.
    pub(crate) fn remove(&mut self, qualified: &str, key: &Key) -> Option<Arc<Object>> {
        let before = self.remove_indexed(qualified, key)?;
        self.inner.version += 1;
        let version = self.inner.version;
        let mut value = before.value();
        value["metadata"]["resourceVersion"] = Value::String(version.to_string());
        let last = Arc::new(object(&before.kind, &value, version));
        let uid = before.uid.clone();
        self.inner.applied.retain(|(of, _, _), _| *of != uid);
        self.record(ChangeKind::Deleted, Arc::clone(&last), Some(before));
        Some(last)
    }

    fn index(&mut self, object: &Arc<Object>) {
        let place = (object.kind.qualified.clone(), object.key.clone());
        for owner in &object.owners {
            self.inner.dependents.entry(owner.clone()).or_default().insert(place.clone());
        }
        self.inner.uids.insert(object.uid.clone(), place.clone());
        self.inner.collections.entry(place.0).or_default().insert(place.1, Arc::clone(object));
    }

    fn remove_indexed(&mut self, qualified: &str, key: &Key) -> Option<Arc<Object>> {
        let before = self.inner.collections.get_mut(qualified)?.remove(key)?;
        self.inner.uids.remove(&before.uid);
        let place = (qualified.to_owned(), key.clone());
        for owner in &before.owners {
            if let Some(owned) = self.inner.dependents.get_mut(owner) {
                owned.remove(&place);
                if owned.is_empty() {
                    self.inner.dependents.remove(owner);
                }
            }
        }
        Some(before)
    }

    fn record(&mut self, kind: ChangeKind, object: Arc<Object>, before: Option<Arc<Object>>) {
        let change = Arc::new(Change { kind, object, before });
        for observer in &self.inner.observers {
            observer(&change);
        }
        self.inner.log_bytes += change.object.json.len();
        self.inner.log.push_back(change);
        while self.inner.log.len() > LOG_CHANGES || self.inner.log_bytes > LOG_BYTES {
            let Some(old) = self.inner.log.pop_front() else { break };
            self.inner.log_bytes -= old.object.json.len();
            self.inner.compacted = old.object.version;
        }
    }
}

pub(crate) fn object(kind: &Arc<Kind>, value: &Value, version: u64) -> Object {
    let metadata = &value["metadata"];
    let text = |name: &str| metadata[name].as_str().unwrap_or_default().to_owned();
    let labels: Labels = metadata["labels"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    let owners = metadata["ownerReferences"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|owner| owner["uid"].as_str().map(Into::into))
        .collect();
    Object {
        kind: Arc::clone(kind),
        key: Key::new(text("namespace"), text("name")),
        uid: text("uid"),
        version,
        labels: Arc::new(labels),
        owners,
        deleting: metadata.get("deletionTimestamp").is_some(),
        json: Bytes::from(serde_json::to_vec(value).unwrap_or_default()),
    }
}
