//! Custom resources: served once defined, validated by their schema, status apart from spec.

use kube::ResourceExt;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::bench::{NAMESPACE, create, dynamic, fast, object, refusal};

const GROUP: &str = "workflowexecution.kubernaut.ai/v1alpha1";

fn definition() -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "workflowexecutions.workflowexecution.kubernaut.ai"},
    "spec": {"group": "workflowexecution.kubernaut.ai", "scope": "Namespaced",
        "names": {"kind": "WorkflowExecution", "plural": "workflowexecutions"},
        "versions": [{"name": "v1alpha1", "served": true, "storage": true, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": {
                "spec": {"type": "object", "required": ["workflowType"],
                    "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "spec is immutable"}],
                    "properties": {"workflowType": {"type": "string", "enum": ["multi-step-remediation", "playbook"]},
                        "reason": {"type": "string", "maxLength": 20}}},
                "status": {"type": "object", "properties": {"phase": {"type": "string"}, "message": {"type": "string"}}},
            }}}}]}})
}

#[tokio::test(start_paused = true)]
async fn a_defined_kind_is_served_with_its_rules() {
    let sandbox = fast();
    let api = dynamic(&sandbox, GROUP, "WorkflowExecution", Some(NAMESPACE));
    assert_eq!(refusal(api.list(&ListParams::default()).await).code, 404);
    let crds = dynamic(&sandbox, "apiextensions.k8s.io/v1", "CustomResourceDefinition", None);
    let apply = Patch::Apply(definition());
    let made = crds
        .patch("workflowexecutions.workflowexecution.kubernaut.ai", &PatchParams::apply("test"), &apply)
        .await
        .unwrap();
    assert_eq!(made.data["status"]["conditions"][1]["type"], "Established");
    assert_eq!(made.data["status"]["conditions"][1]["status"], "True");

    let made = create(&api, json!({"metadata": {"name": "x"}, "spec": {"workflowType": "playbook", "stray": 1}, "status": {"phase": "Completed"}})).await;
    assert_eq!(made.data["spec"], json!({"workflowType": "playbook"}), "unknown fields are pruned");
    assert!(made.data.get("status").is_none(), "a create leaves status out");
    assert_eq!(made.metadata.generation, Some(1));

    let wrong = refusal(api.create(&PostParams::default(), &object(json!({"metadata": {"name": "y"}, "spec": {"workflowType": "other", "reason": "far, far too long a reason"}}))).await);
    assert_eq!((wrong.code, wrong.reason.as_str()), (422, "Invalid"));
    assert_eq!(wrong.details.unwrap().causes.len(), 2);
    assert!(
        wrong.message.starts_with("WorkflowExecution.workflowexecution.kubernaut.ai \"y\" is invalid: ["),
        "{}",
        wrong.message
    );
}

#[tokio::test(start_paused = true)]
async fn status_and_spec_keep_out_of_each_others_way() {
    let sandbox = fast();
    create(&dynamic(&sandbox, "apiextensions.k8s.io/v1", "CustomResourceDefinition", None), definition()).await;
    let api = dynamic(&sandbox, GROUP, "WorkflowExecution", Some(NAMESPACE));
    create(&api, json!({"metadata": {"name": "x"}, "spec": {"workflowType": "playbook"}})).await;
    let both = json!({"spec": {"workflowType": "multi-step-remediation"}, "status": {"phase": "Executing"}});
    let patched = api.patch_status("x", &PatchParams::default(), &Patch::Merge(&both)).await.unwrap();
    assert_eq!(
        (&patched.data["spec"]["workflowType"], &patched.data["status"]["phase"]),
        (&json!("playbook"), &json!("Executing"))
    );
    assert_eq!(patched.metadata.generation, Some(1), "status does not count as a generation");
    let frozen = refusal(api.patch("x", &PatchParams::default(), &Patch::Merge(&both)).await);
    assert_eq!(frozen.code, 422);
    assert!(frozen.message.contains("spec is immutable"), "{}", frozen.message);
    let labelled = api
        .patch(
            "x",
            &PatchParams::default(),
            &Patch::Merge(json!({"metadata": {"labels": {"a": "b"}}, "status": {"phase": "Failed"}})),
        )
        .await
        .unwrap();
    assert_eq!((labelled.labels()["a"].as_str(), &labelled.data["status"]["phase"]), ("b", &json!("Executing")));

    let status = |fields: Value| {
        Patch::Apply(
            json!({"apiVersion": GROUP, "kind": "WorkflowExecution", "metadata": {"name": "x"}, "status": fields}),
        )
    };
    let mine = PatchParams::apply("controller").force();
    api.patch_status("x", &mine, &status(json!({"phase": "Executing", "message": "going"}))).await.unwrap();
    let applied = api.patch_status("x", &mine, &status(json!({"phase": "Completed"}))).await.unwrap();
    assert_eq!(applied.data["status"], json!({"phase": "Completed"}), "apply takes back what it no longer says");
    let mut stale = object(
        json!({"apiVersion": GROUP, "kind": "WorkflowExecution", "metadata": {"name": "x", "resourceVersion": "1"}, "spec": {}}),
    );
    stale.data["status"] = json!({"phase": "Failed"});
    let bytes = serde_json::to_vec(&stale).unwrap();
    let conflict =
        refusal(api.replace_status("x", &PostParams::default(), &serde_json::from_slice(&bytes).unwrap()).await);
    assert_eq!(conflict.code, 409);
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_is_not_structural_is_refused() {
    let sandbox = fast();
    let crds = dynamic(&sandbox, "apiextensions.k8s.io/v1", "CustomResourceDefinition", None);
    let mut bad = definition();
    bad["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["untyped"] =
        json!({"description": "x"});
    let status = refusal(crds.create(&PostParams::default(), &object(bad)).await);
    assert!(status.message.contains("properties[untyped].type: Required value"), "{}", status.message);
    let mut other = definition();
    other["metadata"]["name"] = "something.else".into();
    assert_eq!(refusal(crds.create(&PostParams::default(), &object(other)).await).code, 422);
}
