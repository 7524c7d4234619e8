//! Making sure that an object is there under its derived name, exactly once, whatever happens to the call: a create that is
//! answered, refused, or answered never. Nothing is deleted, and there is never a second name (`safety.md`, Faults).

use crate::{
    calls::{CallError, Calls, Kind},
    compare,
    trouble::Trouble,
};
use domain::pipeline_run::DIGEST_ANNOTATION;
use serde_json::Value;

/// The object as the cluster has it, and whether it was there before.
#[derive(Clone, Debug)]
pub struct Ensured {
    /// As it came back.
    pub object: Value,
    /// It was there before this call: an earlier try made it.
    pub adopted: bool,
}

impl Ensured {
    /// Its uid.
    pub fn uid(&self) -> &str {
        self.object["metadata"]["uid"].as_str().unwrap_or_default()
    }
}

/// Creates the object, or adopts the one under its name if it is the same run's: same digest, same labels, same
/// owner, and the same execution where that is annotated.
pub async fn ensure(calls: &Calls, kind: Kind, sent: &Value) -> Result<Ensured, Trouble> {
    let name = sent["metadata"]["name"].as_str().unwrap_or_default();
    let namespace = sent["metadata"]["namespace"].as_str().unwrap_or_default();
    let there = match calls.create(kind, namespace, sent).await {
        Ok(object) => return Ok(Ensured { object, adopted: false }),
        Err(CallError::Exists(_)) => calls.get(kind, namespace, name).await?,
        // It may be there or still be on its way. If it is not, the next try finds out: the name is the same.
        Err(CallError::Unknown(why)) => match calls.get(kind, namespace, name).await {
            Ok(there) => there,
            Err(_) => return Err(CallError::Unknown(why).into()),
        },
        Err(other) => return Err(other.into()),
    };
    match strangeness(sent, &there) {
        None => Ok(Ensured { object: there, adopted: true }),
        Some(what) => Err(Trouble::never(
            "NameTaken",
            format!(
                "the name {name} belongs to another object in {namespace} ({what}); nothing was changed or deleted"
            ),
        )),
    }
}

/// Why the object under the name is not this run's; none when it is.
fn strangeness(sent: &Value, there: &Value) -> Option<String> {
    let annotation = |object: &Value, key: &str| object["metadata"]["annotations"][key].as_str().map(str::to_owned);
    for key in [DIGEST_ANNOTATION, crate::desired::EXECUTION_ANNOTATION] {
        let wanted = annotation(sent, key);
        if wanted.is_some() && annotation(there, key) != wanted {
            let got = annotation(there, key).unwrap_or_else(|| "nothing".into());
            return Some(format!("its annotation {key} says {got}"));
        }
    }
    for (key, wanted) in sent["metadata"]["labels"].as_object().into_iter().flatten() {
        let got = &there["metadata"]["labels"][key];
        if got != wanted {
            return Some(format!("its label {key} says {}", got.as_str().unwrap_or("nothing")));
        }
    }
    let owner = |object: &Value| {
        let owners = object["metadata"]["ownerReferences"].as_array()?;
        owners.iter().find(|o| o["controller"] == true)?["uid"].as_str().map(str::to_owned)
    };
    if owner(sent).is_some() && owner(sent) != owner(there) {
        return Some("it has another owner".into());
    }
    if !there["metadata"]["deletionTimestamp"].is_null() {
        return Some("it is being deleted".into());
    }
    None
}

/// Compares what came back with what was sent; any difference and nothing runs.
pub fn unchanged(what: &str, sent: &Value, got: &Value) -> Result<(), Trouble> {
    let differences = compare::returned(sent, got);
    if differences.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the API server made something else of the {what} than was approved, so nothing runs: {}",
        compare::sentence(&differences)
    );
    Err(Trouble::never(crate::NOT_AS_APPROVED, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sent() -> Value {
        json!({"metadata": {
            "name": "r", "annotations": {DIGEST_ANNOTATION: "sha256:a"}, "labels": {"kubernaut.io/workflow": "r"},
            "ownerReferences": [{"uid": "u", "controller": true}],
        }})
    }

    #[test]
    fn only_the_same_runs_object_is_adopted() {
        assert_eq!(strangeness(&sent(), &sent()), None);
        let mut other = sent();
        other["metadata"]["annotations"][DIGEST_ANNOTATION] = json!("sha256:b");
        assert!(strangeness(&sent(), &other).unwrap().contains("sha256:b"));
        let mut unmarked = sent();
        unmarked["metadata"]["annotations"] = json!({});
        assert!(strangeness(&sent(), &unmarked).is_some());
        let mut owned = sent();
        owned["metadata"]["ownerReferences"][0]["uid"] = json!("v");
        assert!(strangeness(&sent(), &owned).is_some());
        let mut more = sent();
        more["metadata"]["labels"]["tekton.dev/pipeline"] = json!("r");
        assert_eq!(strangeness(&sent(), &more), None, "Tekton adds labels of its own");
        for labels in [json!({}), json!({"kubernaut.io/workflow": "another"})] {
            let mut labelled = sent();
            labelled["metadata"]["labels"] = labels;
            assert!(strangeness(&sent(), &labelled).unwrap().contains("kubernaut.io/workflow"));
        }
        let mut going = sent();
        going["metadata"]["deletionTimestamp"] = json!("2026-11-23T03:00:00Z");
        assert!(strangeness(&sent(), &going).is_some());
    }
}
