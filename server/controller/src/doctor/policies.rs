//! The admission policies that keep the namespace of the runs to the console (`deploy/base/policy/`): whether they are there, and are
//! those that this console ships. Runs go without them; what that means is said.

use super::{Served, TEKTON, good, is_served, note, read, unknown};
use crate::{calls::Calls, client, compare, mend};
use domain::ports::{PreflightCheck, PreflightOutcome};
use serde_json::Value;

const SUBJECT: &str = "Policies";
const GROUP: &str = "admissionregistration.k8s.io/v1";
const KINDS: [(&str, &str); 2] = [
    ("ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
    ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
];
const MANIFESTS: [&str; 2] = [
    include_str!("../../../../deploy/base/policy/runs.yaml"),
    include_str!("../../../../deploy/base/policy/accounts.yaml"),
];

/// What keeps the right to create pods to the one that lists a volume.
const LISTER: [&str; 1] = [include_str!("../../../../deploy/components/listing/policy.yaml")];

/// Whether the console's right to create pods is bound by its policy: without that it could use any account and Secret of the namespace.
pub(super) async fn check_lister(calls: &Calls, namespace: &str) -> PreflightCheck {
    const SUBJECT: &str = "Listings";
    let mend = Some(mend::apply_file(mend::LISTER_POLICY, namespace));
    for piece in shipped(&LISTER, namespace, TEKTON[0].0) {
        let fault = match read(calls, &format!("/apis/{GROUP}/{}/{}", piece.plural, piece.name)).await {
            Ok(there) => piece.fault(there.as_ref()),
            Err(error) => {
                let right = format!("get the {} {}", piece.word, piece.name);
                return unknown(SUBJECT, &error, &right, namespace);
            }
        };
        if let Some(fault) = fault {
            let words = format!("{fault}, and the console may create any pod in {namespace}");
            return PreflightCheck { subject: SUBJECT, outcome: PreflightOutcome::Missing, words, mend };
        }
    }
    good(SUBJECT, "by a pod that its policy allows alone")
}

/// Looks at each policy and each binding.
pub(super) async fn check(calls: &Calls, served: &Served, tekton: Option<&str>, namespace: &str) -> PreflightCheck {
    let resources = if served.has(GROUP) { read(calls, &format!("/apis/{GROUP}")).await } else { Ok(None) };
    match resources {
        Ok(list) if is_served(list.as_ref(), KINDS[0].0) => {}
        Ok(_) => return note(SUBJECT, unserved(namespace), None),
        Err(error) => return unknown(SUBJECT, &error, "read what the cluster serves", namespace),
    }
    let tekton = tekton.unwrap_or(TEKTON[0].0);
    let (mut wrong, mut unread) = (Vec::new(), None);
    for piece in shipped(&MANIFESTS, namespace, tekton) {
        match read(calls, &format!("/apis/{GROUP}/{}/{}", piece.plural, piece.name)).await {
            Ok(there) => wrong.extend(piece.fault(there.as_ref())),
            Err(error) => unread = Some((error, format!("get the {} {}", piece.word, piece.name))),
        }
    }
    // What is wrong says more than what can't be read.
    if let (Some((error, right)), true) = (&unread, wrong.is_empty()) {
        return unknown(SUBJECT, error, right, namespace);
    }
    if wrong.is_empty() {
        return good(SUBJECT, format!("as this console ships them: in {namespace} it alone makes runs"));
    }
    let words =
        format!("{}; until it is mended others may run something in {namespace} beside the console", wrong.join("; "));
    note(SUBJECT, words, Some(mend::apply_policy(namespace, tekton)))
}

fn unserved(namespace: &str) -> String {
    format!(
        "the cluster does not serve ValidatingAdmissionPolicy (Kubernetes 1.30 does), so rights alone decide who runs something in \
         {namespace}; deploy/base/policy/README.md says what to do instead"
    )
}

/// One shipped object.
struct Piece {
    word: &'static str,
    plural: &'static str,
    name: String,
    spec: Value,
}

/// Policies and bindings, for this namespace of runs and this one of Tekton.
fn shipped(manifests: &[&str], namespace: &str, tekton: &str) -> Vec<Piece> {
    let text = |manifest: &str| manifest.replace(mend::SHIPPED_FOR, namespace).replace(TEKTON[0].0, tekton);
    let objects = manifests.iter().flat_map(|manifest| client::read(&text(manifest)).unwrap_or_default());
    let piece = |object: Value| {
        let (word, plural) = KINDS.into_iter().find(|(word, _)| object["kind"] == *word)?;
        let name = object["metadata"]["name"].as_str()?.to_owned();
        Some(Piece { word, plural, name, spec: with_defaults(&object["spec"]) })
    };
    objects.filter_map(piece).collect()
}

impl Piece {
    /// What is wrong with it, if anything.
    fn fault(&self, there: Option<&Value>) -> Option<String> {
        let Self { word, name, .. } = self;
        let Some(there) = there else { return Some(format!("the {word} {name} is not there")) };
        let found = compare::specs(&self.spec, &with_defaults(&there["spec"]));
        (!found.is_empty()).then(|| {
            let differences = compare::sentence(&found);
            format!("the {word} {name} is not the one that this console ships ({differences}); look who changed it")
        })
    }
}

/// With what the API server fills in (admissionregistration.k8s.io/v1, MatchResources and Rule).
fn with_defaults(spec: &Value) -> Value {
    let mut spec = spec.clone();
    for field in ["matchConstraints", "matchResources"] {
        let Some(Value::Object(matched)) = spec.get_mut(field) else { continue };
        matched.entry("matchPolicy").or_insert_with(|| "Equivalent".into());
        let rules = matched.get_mut("resourceRules").and_then(Value::as_array_mut);
        for rule in rules.into_iter().flatten().filter_map(Value::as_object_mut) {
            rule.entry("scope").or_insert_with(|| "*".into());
        }
    }
    spec
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn piece(word: &str, name: &str) -> Piece {
        let all = shipped(&MANIFESTS, "remedies", "openshift-pipelines");
        all.into_iter().find(|piece| piece.word == word && piece.name == name).unwrap()
    }

    #[test]
    fn every_policy_is_looked_for_with_its_binding() {
        let mut names: Vec<String> =
            shipped(&MANIFESTS, "x", "y").iter().map(|piece| format!("{} {}", piece.plural, piece.name)).collect();
        names.sort_unstable();
        let expected = ["policies", "policybindings"]
            .map(|kind| ["accounts", "runs"].map(|name| format!("validatingadmission{kind} kubernaut-{name}")));
        let mut expected = expected.concat();
        expected.sort_unstable();
        assert_eq!(names, expected);
    }

    #[test]
    fn they_are_for_the_namespaces_of_the_console_and_of_tekton() {
        let spec = piece("ValidatingAdmissionPolicy", "kubernaut-runs").spec.to_string();
        assert!(spec.contains("'system:serviceaccount:' + request.namespace + ':kubernaut-console'"), "{spec}");
        assert!(spec.contains("'system:serviceaccounts:openshift-pipelines' in request.userInfo.groups"), "{spec}");
        assert!(!spec.contains("kubernaut-system") && !spec.contains("tekton-pipelines"), "{spec}");
        let binding = piece("ValidatingAdmissionPolicyBinding", "kubernaut-runs").spec;
        let selected = &binding["matchResources"]["namespaceSelector"]["matchLabels"];
        assert_eq!(selected["kubernetes.io/metadata.name"], "remedies");
    }

    #[test]
    fn what_the_server_fills_in_is_no_difference_and_anything_else_is() {
        let policy = piece("ValidatingAdmissionPolicy", "kubernaut-runs");
        let mut there = json!({ "spec": policy.spec });
        there["spec"]["matchConstraints"]["namespaceSelector"] = json!({});
        there["spec"]["matchConstraints"]["objectSelector"] = json!({});
        assert_eq!(policy.fault(Some(&there)), None);
        for (pointer, value) in [
            ("/spec/failurePolicy", json!("Ignore")),
            ("/spec/matchConstraints/matchPolicy", json!("Exact")),
            ("/spec/matchConstraints/resourceRules/0/operations", json!(["CREATE"])),
            ("/spec/variables/1/expression", json!("true")),
            ("/spec/validations", json!([])),
        ] {
            let mut edited = there.clone();
            *edited.pointer_mut(pointer).unwrap() = value;
            let said = policy.fault(Some(&edited)).unwrap();
            assert!(said.contains("ValidatingAdmissionPolicy kubernaut-runs is not the one"), "{said}");
        }
        assert!(policy.fault(None).unwrap().ends_with("is not there"));
        let binding = piece("ValidatingAdmissionPolicyBinding", "kubernaut-runs");
        let mut warns = json!({ "spec": binding.spec });
        warns["spec"]["validationActions"] = json!(["Warn"]);
        assert!(binding.fault(Some(&warns)).is_some(), "one that only warns keeps nobody out");
    }
}
