//! What was sent against what the API server made of it. What is ours must be there unchanged; what the server and Tekton add
//! must be among the additions that are known and change nothing of what runs. Pure.
//!
//! Rule: `safety.md`, The run ticket ("compares what the API server returned with what it sent").

use serde_json::{Map, Value};

/// A place where the two disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where, in the form `spec.params[0].value`.
    pub path: String,
    /// What was sent; none where something was added.
    pub sent: Option<String>,
    /// What came back; none where it is missing.
    pub got: Option<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.sent, &self.got) {
            (Some(sent), Some(got)) => write!(f, "{}: sent {sent}, got {got}", self.path),
            (Some(sent), None) => write!(f, "{}: sent {sent}, it is missing", self.path),
            (None, got) => write!(f, "{}: {} was added", self.path, got.as_deref().unwrap_or("something")),
        }
    }
}

/// The differences in one sentence.
pub fn sentence(differences: &[Difference]) -> String {
    let shown: Vec<String> = differences.iter().take(5).map(ToString::to_string).collect();
    let more = differences.len().saturating_sub(shown.len());
    let tail = if more > 0 { format!(" (and {more} more)") } else { String::new() };
    format!("{}{tail}", shown.join("; "))
}

/// Compares what decides over a run: `spec` whole, and of `metadata` name, namespace, owner, and our labels and annotations.
/// `data` and `immutable` of a ConfigMap must be equal.
pub fn returned(sent: &Value, got: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    for field in ["apiVersion", "kind"] {
        // Some answers leave them out.
        if !got[field].is_null() {
            same(field, &sent[field], &got[field], &mut found);
        }
    }
    for field in ["name", "namespace"] {
        same(&format!("metadata.{field}"), &sent["metadata"][field], &got["metadata"][field], &mut found);
    }
    for field in ["labels", "annotations"] {
        within(&format!("metadata.{field}"), &sent["metadata"][field], &got["metadata"][field], true, &mut found);
    }
    if !sent["metadata"]["ownerReferences"].is_null() {
        let path = "metadata.ownerReferences";
        within(path, &sent["metadata"]["ownerReferences"], &got["metadata"]["ownerReferences"], false, &mut found);
    }
    for field in ["data", "immutable"] {
        same(field, &sent[field], &got[field], &mut found);
    }
    same("binaryData", &Value::Null, &got["binaryData"], &mut found);
    within("spec", &sent["spec"], &got["spec"], false, &mut found);
    found
}

/// Compares the specs of two objects, as [`returned`] does.
pub fn specs(sent: &Value, got: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    within("spec", sent, got, false, &mut found);
    found
}

/// Both must be equal; absent is null.
pub fn same(path: &str, sent: &Value, got: &Value, found: &mut Vec<Difference>) {
    match (sent, got) {
        (Value::Object(sent), Value::Object(got)) => {
            for (key, value) in sent {
                same(&format!("{path}.{key}"), value, got.get(key).unwrap_or(&Value::Null), found);
            }
            for (key, value) in got.iter().filter(|(key, _)| !sent.contains_key(*key)) {
                same(&format!("{path}.{key}"), &Value::Null, value, found);
            }
        }
        (Value::Array(sent), Value::Array(got)) if sent.len() == got.len() => {
            for (at, (sent, got)) in sent.iter().zip(got).enumerate() {
                same(&format!("{path}[{at}]"), sent, got, found);
            }
        }
        (sent, got) if sent == got => {}
        (sent, got) => found.push(difference(path, sent, got)),
    }
}

/// All of `sent` must be in `got`; additions are judged by [`harmless`] unless `open`.
fn within(path: &str, sent: &Value, got: &Value, open: bool, found: &mut Vec<Difference>) {
    match (sent, got) {
        (Value::Object(sent), Value::Object(got)) => {
            for (key, value) in sent {
                within(&format!("{path}.{key}"), value, got.get(key).unwrap_or(&Value::Null), open, found);
            }
            additions(path, sent, got, open, found);
        }
        (Value::Array(sent), Value::Array(got)) if sent.len() == got.len() => {
            for (at, (sent, got)) in sent.iter().zip(got).enumerate() {
                within(&format!("{path}[{at}]"), sent, got, open, found);
            }
        }
        (sent, got) if sent == got => {}
        (sent, got) => found.push(difference(path, sent, got)),
    }
}

fn additions(path: &str, sent: &Map<String, Value>, got: &Map<String, Value>, open: bool, found: &mut Vec<Difference>) {
    for (key, value) in got.iter().filter(|(key, _)| !sent.contains_key(*key)) {
        let path = format!("{path}.{key}");
        if !open && !harmless(&without_indices(&path), value) {
            found.push(difference(&path, &Value::Null, value));
        }
    }
}

/// Leaves that a server may add, without the indices of lists, and what they must say where that matters. The first is what
/// Tekton itself fills in (`server/sandbox/fixtures`, created-pipelinerun.json); the others decide where a pod and a volume
/// find room and which group a volume is given to, which is an administrator's to say for every run (Tekton's `config-defaults`,
/// mutating policies), and not what runs or as which user.
const ADDED: [(&str, Option<&str>); 6] = [
    ("spec.pipelineSpec.tasks.taskRef.kind", Some("Task")),
    ("spec.taskRunTemplate.podTemplate.nodeSelector", None),
    ("spec.taskRunTemplate.podTemplate.tolerations", None),
    ("spec.taskRunTemplate.podTemplate.securityContext.fsGroup", None),
    ("spec.taskRunTemplate.podTemplate.securityContext.fsGroupChangePolicy", None),
    ("spec.workspaces.volumeClaimTemplate.spec.storageClassName", None),
];

/// Whether something that the server added changes nothing of what was approved: it is empty, or one of the leaves in
/// [`ADDED`], or holds nothing but such.
fn harmless(path: &str, value: &Value) -> bool {
    if ADDED.iter().any(|(leaf, word)| *leaf == path && word.is_none_or(|word| value == word)) {
        return true;
    }
    match value {
        Value::Null => true,
        Value::Object(members) => members.iter().all(|(key, member)| harmless(&format!("{path}.{key}"), member)),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// `spec.workspaces[0].name` as `spec.workspaces.name`.
fn without_indices(path: &str) -> String {
    path.split('[').map(|part| part.split_once(']').map_or(part, |(_, after)| after)).collect()
}

fn difference(path: &str, sent: &Value, got: &Value) -> Difference {
    let text = |value: &Value| (!value.is_null()).then(|| value.to_string().chars().take(200).collect());
    Difference { path: path.to_owned(), sent: text(sent), got: text(got) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sent() -> Value {
        json!({
            "apiVersion": "tekton.dev/v1", "kind": "PipelineRun",
            "metadata": {
                "name": "r", "namespace": "n", "labels": {"a": "1"}, "annotations": {"d": "sha256:x"},
                "ownerReferences": [{"name": "r", "uid": "u", "controller": true}],
            },
            "spec": {
                "pipelineSpec": {"tasks": [{"name": "t", "taskRef": {"name": "kubernaut-action"}}]},
                "params": [{"name": "p", "value": "v"}],
                "taskRunTemplate": {"serviceAccountName": "sa"},
            },
        })
    }

    fn paths(got: &Value) -> Vec<String> {
        returned(&sent(), got).into_iter().map(|d| d.path).collect()
    }

    #[test]
    fn what_servers_add_anyway_is_no_difference() {
        let mut got = sent();
        got["metadata"]["uid"] = json!("x");
        got["metadata"]["labels"]["tekton.dev/pipeline"] = json!("r");
        got["spec"]["pipelineSpec"]["tasks"][0]["taskRef"]["kind"] = json!("Task");
        got["spec"]["pipelineSpec"]["tasks"][0]["spec"] = Value::Null;
        got["spec"]["taskRunTemplate"]["podTemplate"] = json!({"nodeSelector": {"pool": "ci"}});
        got["status"] = json!({});
        assert_eq!(paths(&got), Vec::<String>::new());
    }

    #[test]
    fn whatever_changes_the_run_is_found() {
        type Change = (&'static str, fn(&mut Value));
        let changes: [Change; 10] = [
            ("spec.params[0].value", |v| v["spec"]["params"][0]["value"] = json!("w")),
            ("spec.params", |v| v["spec"]["params"] = json!([])),
            ("spec.taskRunTemplate.serviceAccountName", |v| {
                v["spec"]["taskRunTemplate"]["serviceAccountName"] = json!("admin");
            }),
            ("spec.pipelineSpec.tasks", |v| {
                let more = v["spec"]["pipelineSpec"]["tasks"][0].clone();
                v["spec"]["pipelineSpec"]["tasks"] = json!([more, more]);
            }),
            ("spec.pipelineSpec.tasks[0].onError", |v| {
                v["spec"]["pipelineSpec"]["tasks"][0]["onError"] = json!("continue");
            }),
            ("spec.pipelineSpec.finally", |v| v["spec"]["pipelineSpec"]["finally"] = json!([{"name": "x"}])),
            ("metadata.annotations.d", |v| v["metadata"]["annotations"] = json!({})),
            ("metadata.ownerReferences[0].uid", |v| v["metadata"]["ownerReferences"][0]["uid"] = json!("other")),
            ("spec.taskRunTemplate.podTemplate", |v| {
                v["spec"]["taskRunTemplate"]["podTemplate"] = json!({"env": [{"name": "TARGET", "value": "x"}]});
            }),
            ("spec.status", |v| v["spec"]["status"] = json!("Cancelled")),
        ];
        for (path, change) in changes {
            let mut got = sent();
            change(&mut got);
            assert_eq!(paths(&got), [path]);
        }
    }

    #[test]
    fn an_addition_that_is_not_named_is_found() {
        let mut sent = sent();
        sent["spec"]["workspaces"] = json!([{"name": "w", "volumeClaimTemplate": {"spec": {}}}]);
        let mut placed = sent.clone();
        placed["spec"]["workspaces"][0]["volumeClaimTemplate"]["spec"]["storageClassName"] = json!("fast");
        placed["spec"]["taskRunTemplate"]["podTemplate"] = json!({
            "nodeSelector": {"pool": "ci"}, "tolerations": [{"key": "ci", "operator": "Exists"}],
            "securityContext": {"fsGroup": 65532, "fsGroupChangePolicy": "OnRootMismatch"},
        });
        assert_eq!(returned(&sent, &placed), []);
        let below = |pointer: &str, key: &str, value: Value| {
            let mut got = placed.clone();
            got.pointer_mut(pointer).unwrap()[key] = value;
            returned(&sent, &got).len()
        };
        let (template, claim) = ("/spec/taskRunTemplate/podTemplate", "/spec/workspaces/0/volumeClaimTemplate/spec");
        for (pointer, key, value) in [
            (template, "hostNetwork", json!(true)),
            (template, "securityContext", json!({"runAsUser": 0})),
            (template, "securityContext", json!({"fsGroup": 65532, "supplementalGroups": [0]})),
            (template, "volumes", json!([{"name": "host", "hostPath": {"path": "/"}}])),
            (template, "hostAliases", json!([{"ip": "10.0.0.1", "hostnames": ["quay.io"]}])),
            (template, "dnsConfig", json!({"nameservers": ["10.0.0.1"]})),
            (template, "env", json!([{"name": "TARGET", "value": "x"}])),
            (template, "imagePullSecrets", json!([{"name": "x"}])),
            (template, "runtimeClassName", json!("x")),
            (claim, "dataSource", json!({"kind": "PersistentVolumeClaim", "name": "x"})),
            (claim, "volumeName", json!("x")),
            ("/spec", "managedBy", json!("somebody.example/else")),
            ("/spec", "timeouts", json!({"tasks": "1s"})),
            ("/spec/pipelineSpec/tasks/0/taskRef", "kind", json!("ClusterTask")),
            ("/spec/pipelineSpec/tasks/0/taskRef", "resolver", json!("git")),
        ] {
            assert_eq!(below(pointer, key, value), 1, "{pointer}/{key}");
        }
    }

    #[test]
    fn a_config_map_must_come_back_as_it_was() {
        let sent = json!({"metadata": {"name": "c"}, "immutable": true, "data": {"A": "1"}});
        let mut more = sent.clone();
        more["data"]["LD_PRELOAD"] = json!("x");
        assert_eq!(returned(&sent, &more)[0].path, "data.LD_PRELOAD");
        let mut open = sent.clone();
        open["immutable"] = json!(false);
        assert_eq!(returned(&sent, &open)[0].path, "immutable");
    }

    #[test]
    fn a_sentence_says_where_and_what() {
        let mut got = sent();
        got["spec"]["params"][0]["value"] = json!("w");
        assert_eq!(sentence(&returned(&sent(), &got)), "spec.params[0].value: sent \"v\", got \"w\"");
    }
}
