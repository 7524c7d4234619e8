//! Server-side apply: who applied what is remembered as the bodies that were applied, which is enough to take fields
//! back and to see two managers contest one. Fields that were written otherwise belong to nobody.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::envelope::envelope;
use super::kinds::Kind;
use super::status::ApiError;
use super::store::{Key, Object, Tx};
use super::verbs::{Sub, Write};
use super::{Api, patch};

impl Api {
    pub(super) fn apply(
        &self,
        kind: &Arc<Kind>,
        key: &Key,
        sub: Sub,
        (body, manager, force): (&Value, &str, bool),
        write: Write,
    ) -> Result<(Arc<Object>, bool), ApiError> {
        let mut body = body.clone();
        envelope(kind, &mut body)?;
        let part = if sub == Sub::Status { "status" } else { "" };
        let mut tx = self.store.lock();
        let Some(old) = tx.get(&kind.qualified, key) else {
            drop(tx);
            if sub == Sub::Status {
                return Err(ApiError::not_found(kind, &key.name));
            }
            body["metadata"]["name"] = key.name.clone().into();
            let created = self.create(kind, &key.namespace, body.clone(), write)?;
            if !write.dry_run {
                self.remember_applied(&created.uid, manager, part, &body);
            }
            return Ok((created, true));
        };
        let current = old.value();
        let mine = (old.uid.clone(), manager.to_owned(), part.to_owned());
        let conflicts = contest(&mut tx, &mine, &body, &current, force);
        if !conflicts.is_empty() {
            return Err(ApiError::apply_conflict(&conflicts));
        }
        let previous = tx.inner().applied.get(&mine).and_then(|bytes| serde_json::from_slice(bytes).ok());
        let merged = patch::apply(&current, previous.as_ref(), &body);
        let object = self.replace(&mut tx, kind, &old, merged, sub, write)?;
        drop(tx);
        if !write.dry_run {
            self.remember_applied(&object.uid, manager, part, &body);
        }
        Ok((object, false))
    }

    fn remember_applied(&self, uid: &str, manager: &str, part: &str, body: &Value) {
        let bytes = Bytes::from(serde_json::to_vec(body).unwrap_or_default());
        self.store.lock().inner().applied.insert((uid.into(), manager.into(), part.into()), bytes);
    }
}

/// Who else applied what `body` would change. With `force`, they lose it.
fn contest(
    tx: &mut Tx<'_>,
    mine: &(String, String, String),
    body: &Value,
    current: &Value,
    force: bool,
) -> Vec<(String, String)> {
    let (uid, manager, _) = mine;
    let mut conflicts = Vec::new();
    let others: Vec<_> = tx
        .inner()
        .applied
        .iter()
        .filter(|((of, by, _), _)| of == uid && by != manager)
        .map(|(key, bytes)| (key.clone(), serde_json::from_slice::<Value>(bytes).unwrap_or_default()))
        .collect();
    for (key, mut theirs) in others {
        let paths = patch::contested(body, &theirs, current);
        if paths.is_empty() {
            continue;
        }
        if force {
            patch::cede(&mut theirs, body);
            tx.inner().applied.insert(key, Bytes::from(serde_json::to_vec(&theirs).unwrap_or_default()));
        } else {
            conflicts.extend(paths.into_iter().map(|path| (key.1.clone(), path)));
        }
    }
    conflicts
}
