//! The commands that put parts of what is shipped (`deploy/base/`) into the cluster, for the namespace that this console works in. For a
//! checkout's root; `deploy/README.md`, "In another namespace", has the same by hand.

/// The namespace that the files name.
pub const SHIPPED_FOR: &str = "kubernaut-system";
/// Task, Pipelines and the account of playbooks.
pub const TEKTON: &str = "deploy/base/tekton/";
/// The console's rights.
pub const RIGHTS: &str = "deploy/base/rbac/";
/// What it may look at outside its namespace; a part of [`RIGHTS`].
pub const TARGETS: &str = "deploy/base/rbac/targets.yaml";
/// Who may run something.
pub const POLICY: &str = "deploy/base/policy/";

/// The command that makes a part what it should be, or adds it.
pub fn apply(part: &str, namespace: &str) -> String {
    command("apply", part, &renamed(namespace))
}

/// The command that makes a part what it should be, whatever somebody added to it.
pub fn replace(part: &str, namespace: &str) -> String {
    command("replace", part, &renamed(namespace))
}

/// The command that applies a single file.
pub fn apply_file(file: &str, namespace: &str) -> String {
    match renamed(namespace).as_slice() {
        [] => format!("kubectl apply -f {file}"),
        edits => format!("sed '{}' {file} | kubectl apply -f -", edits.join("; ")),
    }
}

/// The command that makes the policies what they should be: they name Tekton's namespace, too.
pub fn apply_policy(namespace: &str, tekton: &str) -> String {
    let mut edits = renamed(namespace);
    if tekton != "tekton-pipelines" {
        edits.push(format!("s/tekton-pipelines/{tekton}/g"));
    }
    command("apply", POLICY, &edits)
}

/// What is changed in the files for another namespace than theirs.
fn renamed(namespace: &str) -> Vec<String> {
    if namespace == SHIPPED_FOR { Vec::new() } else { vec![format!("s/{SHIPPED_FOR}/{namespace}/g")] }
}

fn command(verb: &str, part: &str, edits: &[String]) -> String {
    if edits.is_empty() {
        return format!("kubectl {verb} -k {part}");
    }
    format!("kubectl kustomize {part} | sed '{}' | kubectl {verb} -f -", edits.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_applied_to_the_namespace_of_the_console() {
        assert_eq!(apply(TEKTON, "kubernaut-system"), "kubectl apply -k deploy/base/tekton/");
        assert_eq!(replace(TEKTON, "kubernaut-system"), "kubectl replace -k deploy/base/tekton/");
        let elsewhere =
            "kubectl kustomize deploy/base/rbac/ | sed 's/kubernaut-system/remedies/g' | kubectl apply -f -";
        assert_eq!(apply(RIGHTS, "remedies"), elsewhere);
        assert_eq!(apply_file(TARGETS, "kubernaut-system"), "kubectl apply -f deploy/base/rbac/targets.yaml");
        let elsewhere = "sed 's/kubernaut-system/remedies/g' deploy/base/rbac/targets.yaml | kubectl apply -f -";
        assert_eq!(apply_file(TARGETS, "remedies"), elsewhere);
    }

    #[test]
    fn the_policies_name_the_namespace_of_tekton_too() {
        assert_eq!(apply_policy("kubernaut-system", "tekton-pipelines"), "kubectl apply -k deploy/base/policy/");
        assert_eq!(
            apply_policy("remedies", "openshift-pipelines"),
            "kubectl kustomize deploy/base/policy/ | sed 's/kubernaut-system/remedies/g; \
             s/tekton-pipelines/openshift-pipelines/g' | kubectl apply -f -"
        );
    }

    #[test]
    fn every_part_is_there() {
        let parts = [TEKTON, RIGHTS, POLICY].map(|part| format!("{part}kustomization.yaml"));
        for file in parts.iter().map(String::as_str).chain([TARGETS]) {
            let file = format!("{}/../../{file}", env!("CARGO_MANIFEST_DIR"));
            assert!(std::path::Path::new(&file).exists(), "{file}");
        }
    }
}
