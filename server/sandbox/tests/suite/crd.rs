//! Custom resources, in the sandbox and on a cluster: served once defined, validated by their schema, status apart from spec.
//! A definition is the whole cluster's, so each test has a group of its own.

use kube::ResourceExt;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::bench::{create, eventually, object, refusal};
use crate::target::{Target, on_both_targets};

on_both_targets! {
    a_defined_kind_is_served_with_its_rules "crd-rules";
    status_and_spec_keep_out_of_each_others_way "crd-status";
    a_definition_that_is_not_structural_is_refused "crd-refused";
}

fn definition(group: &str) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": format!("remediations.{group}")},
    "spec": {"group": group, "scope": "Namespaced",
        "names": {"kind": "Remediation", "plural": "remediations"},
        "versions": [{"name": "v1alpha1", "served": true, "storage": true, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": {
                "spec": {"type": "object", "required": ["workflowType"],
                    "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "spec is immutable"}],
                    "properties": {"workflowType": {"type": "string", "enum": ["multi-step-remediation", "playbook"]},
                        "reason": {"type": "string", "maxLength": 20}}},
                "status": {"type": "object", "properties": {"phase": {"type": "string"}, "message": {"type": "string"}}},
            }}}}]}})
}

/// An object of the kind that is defined, or part of one.
fn remediation(group: &str, name: &str, mut parts: Value) -> Value {
    parts["apiVersion"] = format!("{group}/v1alpha1").into();
    parts["kind"] = "Remediation".into();
    parts["metadata"]["name"] = name.into();
    parts
}

fn definitions(target: &Target) -> Api<DynamicObject> {
    target.everywhere("apiextensions.k8s.io/v1", "CustomResourceDefinition")
}

/// The kind, defined anew, once it is served; it was not before.
async fn defined(target: &Target, group: &str) -> Api<DynamicObject> {
    undefine(target, group).await;
    let api = target.api(&format!("{group}/v1alpha1"), "Remediation");
    eventually("it is not served", || async {
        matches!(api.list(&ListParams::default()).await, Err(kube::Error::Api(status)) if status.code == 404)
            .then_some(())
    })
    .await;
    let (crds, name) = (definitions(target), format!("remediations.{group}"));
    crds.patch(&name, &PatchParams::apply("test"), &Patch::Apply(definition(group))).await.unwrap();
    eventually("it is established", || async {
        let found = crds.get(&name).await.unwrap();
        let conditions = found.data["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|c| c["type"] == "Established" && c["status"] == "True").then_some(())
    })
    .await;
    // A cluster serves a moment later, first to those who read.
    let trial = object(remediation(group, "trial", json!({"spec": {"workflowType": "playbook"}})));
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    eventually("it is served", || async { api.create(&dry, &trial).await.is_ok().then_some(()) }).await;
    api
}

/// Takes away the kind, and all that there is of it.
async fn undefine(target: &Target, group: &str) {
    let (crds, name) = (definitions(target), format!("remediations.{group}"));
    let _ = crds.delete(&name, &DeleteParams::default()).await;
    eventually("the definition is gone", || async { crds.get_opt(&name).await.unwrap().is_none().then_some(()) }).await;
}

async fn a_defined_kind_is_served_with_its_rules(target: &Target) {
    let group = "rules.conformance.example";
    let api = defined(target, group).await;
    let sent = json!({"spec": {"workflowType": "playbook", "stray": 1}, "status": {"phase": "Completed"}});
    let made = create(&api, remediation(group, "x", sent)).await;
    assert_eq!(made.data["spec"], json!({"workflowType": "playbook"}), "unknown fields are pruned");
    assert!(made.data.get("status").is_none(), "a create leaves status out");
    assert_eq!(made.metadata.generation, Some(1));

    let sent = json!({"spec": {"workflowType": "other", "reason": "far, far too long a reason"}});
    let wrong = refusal(api.create(&PostParams::default(), &object(remediation(group, "y", sent))).await);
    assert_eq!((wrong.code, wrong.reason.as_str()), (422, "Invalid"));
    let mut fields: Vec<String> = wrong.details.unwrap().causes.into_iter().map(|cause| cause.field).collect();
    fields.sort();
    assert_eq!(fields, ["<nil>", "spec.reason", "spec.workflowType"], "the first stands for rules that were not asked");
    let begin = format!("Remediation.{group} \"y\" is invalid: [");
    assert!(wrong.message.starts_with(&begin), "{}", wrong.message);
    assert!(wrong.message.contains("some validation rules were not checked"), "{}", wrong.message);
    undefine(target, group).await;
}

async fn status_and_spec_keep_out_of_each_others_way(target: &Target) {
    let group = "status.conformance.example";
    let api = defined(target, group).await;
    create(&api, remediation(group, "x", json!({"spec": {"workflowType": "playbook"}}))).await;
    let both = json!({"spec": {"workflowType": "multi-step-remediation"}, "status": {"phase": "Executing"}});
    let none = PatchParams::default();
    let patched = api.patch_status("x", &none, &Patch::Merge(&both)).await.unwrap();
    assert_eq!(
        (&patched.data["spec"]["workflowType"], &patched.data["status"]["phase"]),
        (&json!("playbook"), &json!("Executing"))
    );
    assert_eq!(patched.metadata.generation, Some(1), "status does not count as a generation");
    let frozen = refusal(api.patch("x", &none, &Patch::Merge(&both)).await);
    assert_eq!(frozen.code, 422);
    assert!(frozen.message.contains("spec is immutable"), "{}", frozen.message);
    let labels = json!({"metadata": {"labels": {"a": "b"}}, "status": {"phase": "Failed"}});
    let labelled = api.patch("x", &none, &Patch::Merge(labels)).await.unwrap();
    assert_eq!((labelled.labels()["a"].as_str(), &labelled.data["status"]["phase"]), ("b", &json!("Executing")));

    let status = |fields: Value| Patch::Apply(remediation(group, "x", json!({"status": fields})));
    let mine = PatchParams::apply("controller").force();
    api.patch_status("x", &mine, &status(json!({"phase": "Executing", "message": "going"}))).await.unwrap();
    let applied = api.patch_status("x", &mine, &status(json!({"phase": "Completed"}))).await.unwrap();
    assert_eq!(applied.data["status"], json!({"phase": "Completed"}), "apply takes back what it no longer says");

    let old = labelled.metadata.resource_version;
    let parts = json!({"metadata": {"resourceVersion": old}, "spec": {"workflowType": "playbook"}, "status": {"phase": "Failed"}});
    let stale = object(remediation(group, "x", parts));
    let conflict = refusal(api.replace_status("x", &PostParams::default(), &stale).await);
    assert_eq!((conflict.code, conflict.reason.as_str()), (409, "Conflict"));
    undefine(target, group).await;
}

async fn a_definition_that_is_not_structural_is_refused(target: &Target) {
    let group = "refused.conformance.example";
    let crds = definitions(target);
    let mut bad = definition(group);
    bad["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["untyped"] =
        json!({"description": "x"});
    let status = refusal(crds.create(&PostParams::default(), &object(bad)).await);
    assert!(status.message.contains("properties[untyped].type: Required value"), "{}", status.message);
    let mut other = definition(group);
    other["metadata"]["name"] = "something.else".into();
    assert_eq!(refusal(crds.create(&PostParams::default(), &object(other)).await).code, 422);
}
