//! The four ways to patch: merge (RFC 7386), strategic merge, JSON Patch (RFC 6902), server-side apply.
//! Lists that Kubernetes merges by a key are merged by it (in strategic merge and apply); other lists are replaced.
//! It knows no store.

use serde_json::{Map, Value};

use super::status::ApiError;

/// A decoded patch.
#[derive(Debug)]
pub(crate) enum Patch {
    Merge(Value),
    Strategic(Value),
    Json(json_patch::Patch),
    Apply { body: Value, manager: String, force: bool },
}

/// The keys by which the API server merges lists of objects, by the list's name.
fn merge_key(list: &str) -> Option<&'static str> {
    match list {
        "containers" | "initContainers" | "ephemeralContainers" | "volumes" | "env" | "imagePullSecrets" => {
            Some("name")
        }
        "conditions" => Some("type"),
        "ownerReferences" => Some("uid"),
        "volumeMounts" => Some("mountPath"),
        "ports" => Some("containerPort"),
        _ => None,
    }
}

/// Applies merge, strategic merge or JSON patch.
pub(crate) fn patched(current: &Value, patch: &Patch) -> Result<Value, ApiError> {
    let mut value = current.clone();
    match patch {
        Patch::Merge(body) => json_patch::merge(&mut value, body),
        Patch::Strategic(body) | Patch::Apply { body, .. } => merge(&mut value, body, true),
        Patch::Json(operations) => {
            json_patch::patch(&mut value, operations).map_err(|_| ApiError::unprocessable())?;
        }
    }
    Ok(value)
}

fn entry_key<'a>(item: &'a Value, key: &str) -> Option<&'a Value> {
    item.get(key)
}

fn merge(target: &mut Value, patch: &Value, null_deletes: bool) {
    let (Value::Object(target), Value::Object(patch)) = (&mut *target, patch) else {
        *target = patch.clone();
        return;
    };
    for (name, value) in patch {
        if value.is_null() && null_deletes {
            target.remove(name);
            continue;
        }
        merge_entry(target, name, value, null_deletes);
    }
}

fn merge_entry(target: &mut Map<String, Value>, name: &str, value: &Value, null_deletes: bool) {
    let existing = target.entry(name.to_owned()).or_insert(Value::Null);
    match (existing, value) {
        (Value::Array(have), Value::Array(want)) => {
            if name == "finalizers" {
                let missing: Vec<Value> = want.iter().filter(|item| !have.contains(item)).cloned().collect();
                have.extend(missing);
            } else if let Some(key) = merge_key(name) {
                merge_list(have, want, key, null_deletes);
            } else {
                have.clone_from(want);
            }
        }
        (existing @ Value::Null, Value::Object(_)) => {
            *existing = Value::Object(Map::new());
            merge(existing, value, null_deletes);
        }
        (existing, value) => merge(existing, value, null_deletes),
    }
}

fn merge_list(have: &mut Vec<Value>, want: &[Value], key: &str, null_deletes: bool) {
    for item in want {
        let same = |other: &Value| entry_key(other, key).is_some() && entry_key(other, key) == entry_key(item, key);
        if item["$patch"] == "delete" {
            have.retain(|other| !same(other));
            continue;
        }
        match have.iter_mut().find(|other| same(other)) {
            Some(other) => merge(other, item, null_deletes),
            None => have.push(item.clone()),
        }
    }
}

/// Server-side apply onto `current`: what this manager applied before and no longer says is taken away, what it says
/// now is merged in.
pub(crate) fn apply(current: &Value, previous: Option<&Value>, body: &Value) -> Value {
    let mut value = current.clone();
    if let Some(previous) = previous {
        withdraw(&mut value, previous, body);
    }
    merge(&mut value, body, false);
    value
}

/// Removes from `value` the leaves that are in `previous` and not in `body`.
fn withdraw(value: &mut Value, previous: &Value, body: &Value) {
    let (Value::Object(value), Value::Object(previous)) = (value, previous) else { return };
    for (name, before) in previous {
        match body.get(name) {
            None => {
                if !matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
                    take_away(value, name, before);
                }
            }
            Some(now) => match (value.get_mut(name), before, now) {
                (Some(inner @ Value::Object(_)), Value::Object(_), Value::Object(_)) => withdraw(inner, before, now),
                (Some(Value::Array(items)), Value::Array(before), Value::Array(now)) => {
                    withdraw_items(items, name, before, now);
                }
                _ => {}
            },
        }
    }
}

fn take_away(value: &mut Map<String, Value>, name: &str, before: &Value) {
    match (value.get_mut(name), before) {
        (Some(Value::Object(inner)), Value::Object(fields)) => {
            for (field, before) in fields {
                take_away(inner, field, before);
            }
            if inner.is_empty() {
                value.remove(name);
            }
        }
        _ => {
            value.remove(name);
        }
    }
}

fn withdraw_items(items: &mut Vec<Value>, name: &str, before: &[Value], now: &[Value]) {
    if name == "finalizers" {
        items.retain(|item| !before.contains(item) || now.contains(item));
        return;
    }
    let Some(key) = merge_key(name) else { return };
    let find = |list: &[Value], item: &Value| list.iter().find(|other| other.get(key) == item.get(key)).cloned();
    items.retain(|item| find(before, item).is_none() || find(now, item).is_some());
    for item in items {
        if let (Some(before), Some(now)) = (find(before, item), find(now, item)) {
            withdraw(item, &before, &now);
        }
    }
}

/// Leaves that `body` would change and that `theirs` (what another manager applied) holds.
pub(crate) fn contested(body: &Value, theirs: &Value, current: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    contest(body, theirs, current, "", &mut paths);
    paths
}

fn contest(body: &Value, theirs: &Value, current: &Value, path: &str, paths: &mut Vec<String>) {
    match (body, theirs) {
        (Value::Object(body), Value::Object(theirs)) => {
            for (name, value) in body {
                if path.is_empty() && matches!(name.as_str(), "apiVersion" | "kind") {
                    continue;
                }
                if let Some(theirs) = theirs.get(name) {
                    contest(value, theirs, &current[name.as_str()], &format!("{path}.{name}"), paths);
                }
            }
        }
        (Value::Array(body), Value::Array(theirs)) => {
            let Some(key) = path.rsplit('.').next().and_then(merge_key) else {
                if current != &Value::Array(body.clone()) {
                    paths.push(path.to_owned());
                }
                return;
            };
            for item in body {
                let same = |other: &&Value| other.get(key).is_some() && other.get(key) == item.get(key);
                let now = current.as_array().and_then(|items| items.iter().find(same));
                if let (Some(theirs), Some(now)) = (theirs.iter().find(same), now) {
                    contest(item, theirs, now, &format!("{path}[{key}={}]", item[key]), paths);
                }
            }
        }
        (body, _) => {
            if body != current {
                paths.push(path.to_owned());
            }
        }
    }
}

/// Takes from `theirs` what another manager has forcibly taken over.
pub(crate) fn cede(theirs: &mut Value, body: &Value) {
    let (Value::Object(theirs), Value::Object(body)) = (theirs, body) else { return };
    for (name, value) in body {
        match (theirs.get_mut(name), value) {
            (Some(inner @ Value::Object(_)), Value::Object(_)) => cede(inner, value),
            (Some(_), _) if name != "apiVersion" && name != "kind" => {
                theirs.remove(name);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn strategic_merge_keeps_the_other_containers() {
        let current =
            json!({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}], "args": [1, 2]}});
        let patch = Patch::Strategic(json!({"spec": {"containers": [{"name": "b", "image": "2"}], "args": [3]}}));
        assert_eq!(
            patched(&current, &patch).unwrap(),
            json!({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}], "args": [3]}})
        );
    }

    #[test]
    fn merge_patch_replaces_lists_and_deletes_nulls() {
        let current = json!({"a": [1, 2], "b": {"c": 1, "d": 2}});
        let patch = Patch::Merge(json!({"a": [3], "b": {"c": null}}));
        assert_eq!(patched(&current, &patch).unwrap(), json!({"a": [3], "b": {"d": 2}}));
    }

    #[test]
    fn a_json_patch_that_does_not_fit_is_refused() {
        let operations = serde_json::from_value(json!([{"op": "test", "path": "/a", "value": 2}])).unwrap();
        assert_eq!(patched(&json!({"a": 1}), &Patch::Json(operations)).unwrap_err().code, 422);
    }

    #[test]
    fn apply_takes_back_what_it_no_longer_says_and_leaves_the_rest() {
        let current = json!({"spec": {"mine": 1, "theirs": 2}, "status": {"conditions": [{"type": "A", "status": "True", "message": "m"}, {"type": "B"}]}});
        let before =
            json!({"spec": {"mine": 1}, "status": {"conditions": [{"type": "A", "status": "True", "message": "m"}]}});
        let now = json!({"spec": {"other": 3}, "status": {"conditions": [{"type": "A", "status": "False"}]}});
        assert_eq!(
            apply(&current, Some(&before), &now),
            json!({"spec": {"theirs": 2, "other": 3}, "status": {"conditions": [{"type": "A", "status": "False"}, {"type": "B"}]}})
        );
    }

    #[test]
    fn two_managers_contest_a_leaf_only_when_it_changes() {
        let current = json!({"spec": {"replicas": 2, "x": 1}});
        let theirs = json!({"spec": {"replicas": 2}});
        assert!(contested(&json!({"spec": {"replicas": 2}}), &theirs, &current).is_empty());
        assert_eq!(contested(&json!({"spec": {"replicas": 3, "x": 5}}), &theirs, &current), [".spec.replicas"]);
        let mut theirs = theirs;
        cede(&mut theirs, &json!({"spec": {"replicas": 3}}));
        assert_eq!(theirs, json!({"spec": {}}));
    }
}
