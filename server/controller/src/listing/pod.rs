//! The pod that lists a volume: what it is, and what its status says. Pure. An admission policy lets the console create this pod and
//! no other (`deploy/components/listing/policy.yaml`): what changes here changes there, and in `pod.json`, by which the policy is tried on a
//! real cluster.

use domain::text::one_line;
use serde_json::{Value, json};

/// Its one container.
pub const CONTAINER: &str = "lister";
/// Where the volume is mounted.
const MOUNT: &str = "/volume";
/// The kubelet ends it after so many seconds, whatever the console does.
const DEADLINE: u64 = 30;
/// What a container that starts as it should waits for.
const ORDINARY: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// What of a pod differs from listing to listing.
pub struct Place<'a> {
    pub name: &'a str,
    pub namespace: &'a str,
    /// The PipelineRun that owns it.
    pub run: &'a str,
    pub run_uid: &'a str,
    pub claim: &'a str,
    pub image: &'a str,
}

/// The pod. It has none of a run's labels, so that nobody takes it for a step; it goes with its PipelineRun.
pub fn build(place: &Place<'_>) -> Value {
    let Place { name, namespace, run, run_uid, claim, image } = place;
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": { "app.kubernetes.io/name": "kubernaut-lister", "app.kubernetes.io/part-of": "kubernaut" },
            "ownerReferences": [{ "apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "name": run, "uid": run_uid }],
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": DEADLINE,
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
            "volumes": [{ "name": "volume", "persistentVolumeClaim": { "claimName": claim, "readOnly": true } }],
            "containers": [{
                "name": CONTAINER,
                "image": image,
                "args": ["list-volume", MOUNT],
                "resources": {
                    "requests": { "cpu": "10m", "memory": "32Mi" },
                    "limits": { "cpu": "1", "memory": "128Mi" },
                },
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "readOnlyRootFilesystem": true,
                    "capabilities": { "drop": ["ALL"] },
                },
                "volumeMounts": [{ "name": "volume", "mountPath": MOUNT, "readOnly": true }],
            }],
        },
    })
}

/// Whether an object belongs to the one with this uid.
pub fn is_owned_by(object: &Value, uid: &str) -> bool {
    object["metadata"]["ownerReferences"]
        .as_array()
        .is_some_and(|owners| owners.iter().any(|owner| owner["uid"] == uid))
}

/// Whether a PipelineRun has not ended by Tekton's word.
pub fn goes_on(run: &Value) -> bool {
    condition(run, "Succeeded").is_none_or(|condition| condition["status"] == "Unknown")
}

/// How the pod stands.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has not started; for what it waits.
    Waiting(String),
    /// It is at work.
    Running,
    /// It has ended well.
    Succeeded,
    /// It has ended badly.
    Failed {
        /// Why.
        why: String,
        /// The kubelet ended it at its deadline.
        late: bool,
    },
}

/// What its status says.
pub fn standing(pod: &Value) -> Standing {
    let status = &pod["status"];
    let state = &status["containerStatuses"][0]["state"];
    match status["phase"].as_str() {
        Some("Succeeded") => Standing::Succeeded,
        Some("Failed") => {
            let own = told(status).or_else(|| told(&state["terminated"]));
            let code = state["terminated"]["exitCode"].as_i64().map(|code| format!(" (exit code {code})"));
            let why = format!("{}{}", own.unwrap_or_else(|| "it ended badly".into()), code.unwrap_or_default());
            Standing::Failed { why, late: status["reason"] == "DeadlineExceeded" }
        }
        Some("Running") if !state["waiting"].is_object() => Standing::Running,
        _ => Standing::Waiting(waits_for(pod, &state["waiting"])),
    }
}

fn waits_for(pod: &Value, waiting: &Value) -> String {
    let unscheduled = condition(pod, "PodScheduled").filter(|condition| condition["status"] == "False").and_then(told);
    let extraordinary = told(waiting).filter(|_| !ORDINARY.iter().any(|word| waiting["reason"] == *word));
    unscheduled.or(extraordinary).unwrap_or_else(|| "its container is still being made".into())
}

fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

/// Reason and message of a part of a status.
fn told(part: &Value) -> Option<String> {
    let words: Vec<&str> =
        ["reason", "message"].iter().filter_map(|field| part[field].as_str()).filter(|text| !text.is_empty()).collect();
    (!words.is_empty()).then(|| one_line(&words.join(": "), 500))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::pipeline_run::WORKFLOW_LABEL;

    const POLICY: &str = include_str!("../../../../deploy/components/listing/policy.yaml");

    #[test]
    fn it_is_the_one_that_the_policy_is_tried_with() {
        let pod = build(&Place {
            name: "kubernaut-listing-0123456789abcdef0123",
            namespace: "kubernaut-system",
            run: "run",
            run_uid: "uid",
            claim: "claim",
            image: "image",
        });
        assert_eq!(pod, serde_json::from_str::<Value>(include_str!("pod.json")).unwrap());
    }

    #[test]
    fn the_policy_names_what_is_the_pods_own() {
        for words in [
            format!("variables.container.args == ['list-volume', '{MOUNT}']"),
            format!("it.mountPath == '{MOUNT}'"),
            format!("activeDeadlineSeconds <= {DEADLINE}"),
            format!("a lister has no token, no account of its own, and ends within {DEADLINE} s"),
        ] {
            assert!(POLICY.contains(&words), "{words}");
        }
    }

    fn pod(status: &Value) -> Value {
        json!({ "status": status })
    }

    #[test]
    fn it_can_read_one_volume_and_nothing_else() {
        let (name, namespace, run, run_uid, claim, image) = ("p", "ns", "r", "u", "pvc-1", "i:1");
        let pod = build(&Place { name, namespace, run, run_uid, claim, image });
        assert!(pod["metadata"]["labels"].get(WORKFLOW_LABEL).is_none(), "it is no step of a run");
        assert!(is_owned_by(&pod, "u") && !is_owned_by(&pod, "v"));
        let spec = &pod["spec"];
        assert_eq!((&spec["restartPolicy"], &spec["automountServiceAccountToken"]), (&json!("Never"), &json!(false)));
        assert_eq!(spec["volumes"].as_array().unwrap().len(), 1);
        assert_eq!(spec["volumes"][0]["persistentVolumeClaim"], json!({"claimName": "pvc-1", "readOnly": true}));
        let container = &spec["containers"][0];
        assert_eq!(container["volumeMounts"][0]["readOnly"], true);
        assert!(["env", "envFrom", "command"].iter().all(|field| container.get(field).is_none()));
    }

    #[test]
    fn how_it_stands_is_told_with_the_clusters_reasons() {
        let state = |state: Value| json!([{ "state": state }]);
        let unscheduled = json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available"}]});
        let pulling = json!({"phase": "Pending", "containerStatuses": state(json!({"waiting":
            {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"x\""}}))});
        let making = json!({"phase": "Pending", "containerStatuses": state(json!({"waiting": {"reason": "ContainerCreating"}}))});
        for (status, words) in [
            (unscheduled, "Unschedulable: 0/1 nodes are available"),
            (pulling, "ImagePullBackOff: Back-off pulling image \"x\""),
            (making, "its container is still being made"),
            (json!({}), "its container is still being made"),
        ] {
            assert_eq!(standing(&pod(&status)), Standing::Waiting(words.into()));
        }
        let running = json!({"phase": "Running", "containerStatuses": state(json!({"running": {}}))});
        assert_eq!(standing(&pod(&running)), Standing::Running);
        assert_eq!(standing(&pod(&json!({"phase": "Succeeded"}))), Standing::Succeeded);
        let late = json!({"phase": "Failed", "reason": "DeadlineExceeded", "message": "Pod was active too long"});
        assert_eq!(
            standing(&pod(&late)),
            Standing::Failed { why: "DeadlineExceeded: Pod was active too long".into(), late: true }
        );
        let ended = json!({"phase": "Failed", "containerStatuses":
            state(json!({"terminated": {"exitCode": 1, "reason": "Error"}}))});
        assert_eq!(standing(&pod(&ended)), Standing::Failed { why: "Error (exit code 1)".into(), late: false });
    }

    #[test]
    fn a_run_goes_on_until_tekton_says_how_it_ended() {
        let run = |status: &str| json!({"status": {"conditions": [{"type": "Succeeded", "status": status}]}});
        assert!(goes_on(&json!({})) && goes_on(&run("Unknown")));
        assert!(!goes_on(&run("True")) && !goes_on(&run("False")));
    }
}
