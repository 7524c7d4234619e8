//! Watches: replay from the change log, then follow it; bookmarks, time limits, and 410 for a past that is forgotten.
//! A watch holds no queue of its own: it remembers a position and reads the log when the store's head moves.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use futures::Stream;
use futures::stream;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::kinds::Kind;
use super::pages;
use super::selector::Selector;
use super::status::ApiError;
use super::store::{Change, ChangeKind, Object};
use super::{Api, Query};
use crate::faults::Broken;

/// World milliseconds between bookmarks.
const BOOKMARK_MS: u64 = 60_000;

/// What a watch asks for.
pub(crate) struct WatchOptions {
    /// `None`: begin with all that exists.
    from: Option<u64>,
    bookmarks: bool,
    /// After the initial objects, say where they end.
    mark_initial_end: bool,
    timeout: Duration,
    selector: Selector,
    namespace: Option<String>,
    /// Only metadata.
    meta: bool,
}

impl WatchOptions {
    pub(crate) fn parse(
        query: &Query,
        namespace: Option<&str>,
        selector: Selector,
        meta: bool,
    ) -> Result<Self, ApiError> {
        let from = match query.get("resourceVersion").map(String::as_str) {
            None | Some("" | "0") => None,
            Some(text) => Some(text.parse().map_err(|_| {
                ApiError::bad_request(format!(
                    "resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
                ))
            })?),
        };
        let flag = |name: &str| query.get(name).is_some_and(|value| value == "true" || value == "1");
        let initial = flag("sendInitialEvents");
        let seconds = query.get("timeoutSeconds").and_then(|text| text.parse().ok()).unwrap_or(1800);
        Ok(Self {
            from: if initial { None } else { from },
            bookmarks: flag("allowWatchBookmarks"),
            mark_initial_end: initial,
            timeout: Duration::from_secs(seconds),
            selector,
            namespace: namespace.map(ToOwned::to_owned),
            meta,
        })
    }

    fn picks(&self, object: &Object) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| *namespace == object.key.namespace)
            && (self.selector.is_empty() || self.selector.matches(&object.labels, |field| object.field(field)))
    }

    /// The event that a change is to this watch, if any, with its object.
    fn event(&self, change: &Change) -> Option<(&'static str, Bytes)> {
        let object = &change.object;
        let now = change.kind != ChangeKind::Deleted && self.picks(object);
        let before = change.before.as_ref().filter(|before| self.picks(before));
        match (before, now) {
            (None, false) => None,
            (None, true) => Some(("ADDED", object.json.clone())),
            (Some(_), true) => Some(("MODIFIED", object.json.clone())),
            (Some(_), false) if change.kind == ChangeKind::Deleted => Some(("DELETED", object.json.clone())),
            // What the selector does not pick is not shown: the object as it was, at the version at which it left.
            (Some(before), false) => Some(("DELETED", at_version(before, object.version))),
        }
    }
}

fn at_version(object: &Object, version: u64) -> Bytes {
    let mut value = object.value();
    value["metadata"]["resourceVersion"] = version.to_string().into();
    Bytes::from(value.to_string())
}

struct Watch {
    api: Arc<Api>,
    kind: Arc<Kind>,
    options: WatchOptions,
    position: u64,
    pending: VecDeque<Bytes>,
    head: watch::Receiver<u64>,
    broken: watch::Receiver<u64>,
    deadline: Instant,
    next_bookmark: Instant,
    /// Nothing comes after what is pending.
    ended: bool,
}

impl Api {
    /// The stream of events, one JSON line each.
    pub(crate) fn watch(
        self: &Arc<Self>,
        kind: &Arc<Kind>,
        options: WatchOptions,
    ) -> impl Stream<Item = Result<Bytes, Broken>> + Send + use<> {
        let head = self.store.head();
        let broken = self.faults.connections();
        let now = Instant::now();
        let mut watch = Watch {
            api: Arc::clone(self),
            kind: Arc::clone(kind),
            position: 0,
            pending: VecDeque::new(),
            head,
            broken,
            deadline: now + options.timeout,
            next_bookmark: now + self.time.scaled(BOOKMARK_MS).max(Duration::from_millis(250)),
            ended: false,
            options,
        };
        watch.begin();
        stream::unfold(watch, |mut watch| async move { watch.next().await.map(|item| (item, watch)) })
    }
}

impl Watch {
    fn begin(&mut self) {
        if let Some(from) = self.options.from {
            self.position = from;
            return;
        }
        let (objects, version) = self.api.transaction(|tx| {
            let namespace = self.options.namespace.as_deref();
            (tx.list(&self.kind.qualified, namespace).cloned().collect::<Vec<_>>(), tx.version())
        });
        for object in objects.iter().filter(|object| self.options.picks(object)) {
            self.pending.push_back(self.line("ADDED", &object.json));
        }
        self.position = version;
        if self.options.mark_initial_end && self.options.bookmarks {
            self.bookmark(&json!({"k8s.io/initial-events-end": "true"}));
        }
    }

    async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        loop {
            if self.broken.has_changed().unwrap_or(true) {
                self.broken.borrow_and_update();
                self.ended = true;
                self.pending.clear();
                return Some(Err(Broken));
            }
            if let Some(line) = self.pending.pop_front() {
                return Some(Ok(line));
            }
            if self.ended {
                return None;
            }
            self.head.borrow_and_update();
            self.catch_up();
            if !self.pending.is_empty() {
                continue;
            }
            let wake = if self.options.bookmarks { self.next_bookmark.min(self.deadline) } else { self.deadline };
            tokio::select! {
                changed = self.head.changed() => self.ended = changed.is_err(),
                changed = next_break(self.broken.clone()) => self.ended = changed.is_err(),
                () = tokio::time::sleep_until(wake) => self.on_time(),
            }
        }
    }

    fn on_time(&mut self) {
        let now = Instant::now();
        if now >= self.deadline {
            self.ended = true;
        }
        if self.options.bookmarks {
            self.bookmark(&Value::Null);
            self.next_bookmark = now + self.api.time.scaled(BOOKMARK_MS).max(Duration::from_millis(250));
        }
    }

    fn catch_up(&mut self) {
        match self.api.store.since(&self.kind.qualified, self.position) {
            Ok((changes, version)) => {
                for change in changes {
                    if let Some((event, object)) = self.options.event(&change) {
                        self.pending.push_back(self.line(event, &object));
                    }
                }
                self.position = self.position.max(version);
            }
            Err(oldest) => {
                let status = ApiError::expired(self.position, oldest).to_json();
                self.pending.push_back(self.line("ERROR", &Bytes::from(status.to_string())));
                self.ended = true;
            }
        }
    }

    fn bookmark(&mut self, annotations: &Value) {
        let mut metadata = json!({"resourceVersion": self.position.to_string(), "creationTimestamp": null});
        if annotations.is_object() {
            metadata["annotations"] = annotations.clone();
        }
        let object = json!({"kind": self.kind.kind, "apiVersion": self.kind.api_version(), "metadata": metadata});
        let line = self.line("BOOKMARK", &Bytes::from(object.to_string()));
        self.pending.push_back(line);
    }

    fn line(&self, event: &str, object: &Bytes) -> Bytes {
        let partial = (self.options.meta && !matches!(event, "ERROR" | "BOOKMARK")).then(|| pages::partial(object));
        let object = partial.as_ref().unwrap_or(object);
        let mut line = BytesMut::with_capacity(object.len() + 32);
        line.put_slice(format!("{{\"type\":\"{event}\",\"object\":").as_bytes());
        line.put_slice(object);
        line.put_slice(b"}\n");
        line.freeze()
    }
}

/// Waits for connections to break, without marking it as seen: the loop does that.
async fn next_break(mut broken: watch::Receiver<u64>) -> Result<(), watch::error::RecvError> {
    broken.changed().await
}
