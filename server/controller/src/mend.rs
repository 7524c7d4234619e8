//! The commands that put parts of what is shipped (`deploy/base/`) into the cluster, for the namespace that this console works in. For a
//! checkout's root; `deploy/README.md`, "In another namespace", has the same by hand.

/// The namespace that the files name.
pub const SHIPPED_FOR: &str = "kubernaut-system";
/// The command that makes the custom resources what they should be; they name no namespace.
pub const DEFINITIONS: &str = "kubectl apply -k deploy/base/crds/";
/// The namespace itself, with what Pod Security is to hold it to.
pub const NAMESPACE: &str = "deploy/base/namespace.yaml";
/// Task, Pipelines and the account of playbooks.
pub const TEKTON: &str = "deploy/base/tekton/";
/// The console's rights.
pub const RIGHTS: &str = "deploy/base/rbac/";
/// What it may look at outside its namespace; a part of [`RIGHTS`].
pub const TARGETS: &str = "deploy/base/rbac/targets.yaml";
/// Who may run something.
pub const POLICY: &str = "deploy/base/policy/";
/// The right to list volumes.
pub const LISTER_RIGHTS: &str = "deploy/components/listing/rbac.yaml";
/// What keeps that right to one kind of pod.
pub const LISTER_POLICY: &str = "deploy/components/listing/policy.yaml";
/// The right to read what Kubernetes warns of; bound where it is to be read.
pub const EVENTS: &str = "deploy/components/events/rbac.yaml";
/// The right to ask about others.
pub const DELEGATOR: &str = "deploy/components/auth-delegator/rbac.yaml";
/// The image that [`LISTER_RIGHTS`] names.
pub const SHIPPED_IMAGE: &str = "kubernaut-console:0.1.0";

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
    file_command(file, &renamed(namespace))
}

/// The command that gives the right to list volumes with this image.
pub fn apply_lister_rights(namespace: &str, image: &str) -> String {
    let mut edits = renamed(namespace);
    if image != SHIPPED_IMAGE {
        edits.push(format!("s|{SHIPPED_IMAGE}|{image}|"));
    }
    file_command(LISTER_RIGHTS, &edits)
}

/// The command that lets the console of this namespace read what Kubernetes warns of in others.
pub fn bind_events(namespaces: &[&str], own: &str) -> String {
    let bind = |namespace: &&str| {
        format!(
            "kubectl -n {namespace} create rolebinding kubernaut-console-events --clusterrole kubernaut-console-events \
             --serviceaccount {own}:kubernaut-console"
        )
    };
    let bound: Vec<String> = namespaces.iter().map(bind).collect();
    // The role names no namespace.
    format!("kubectl apply -f {EVENTS} && {}", bound.join(" && "))
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

fn file_command(file: &str, edits: &[String]) -> String {
    if edits.is_empty() {
        return format!("kubectl apply -f {file}");
    }
    format!("sed '{}' {file} | kubectl apply -f -", edits.join("; "))
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
    fn the_right_to_list_volumes_names_the_image() {
        let shipped = "kubectl apply -f deploy/components/listing/rbac.yaml";
        assert_eq!(apply_lister_rights("kubernaut-system", SHIPPED_IMAGE), shipped);
        assert_eq!(
            apply_lister_rights("remedies", "registry.example.com/console:1"),
            "sed 's/kubernaut-system/remedies/g; s|kubernaut-console:0.1.0|registry.example.com/console:1|' \
             deploy/components/listing/rbac.yaml | kubectl apply -f -"
        );
        let text = std::fs::read_to_string(root(LISTER_RIGHTS)).unwrap();
        assert!(text.contains(&format!("resourceNames: [\"{SHIPPED_IMAGE}\"]")), "{text}");
    }

    #[test]
    fn warnings_are_read_where_the_role_is_bound() {
        let bind = "create rolebinding kubernaut-console-events --clusterrole kubernaut-console-events --serviceaccount \
                    remedies:kubernaut-console";
        assert_eq!(
            bind_events(&["shop", "web"], "remedies"),
            format!("kubectl apply -f {EVENTS} && kubectl -n shop {bind} && kubectl -n web {bind}")
        );
        let text = std::fs::read_to_string(root(EVENTS)).unwrap();
        assert!(text.contains("name: kubernaut-console-events") && !text.contains("namespace:"), "{text}");
    }

    #[test]
    fn every_part_is_there() {
        let definitions = DEFINITIONS.rsplit(' ').next().unwrap();
        let parts = [definitions, TEKTON, RIGHTS, POLICY].map(|part| format!("{part}kustomization.yaml"));
        for file in parts.iter().map(String::as_str).chain([
            NAMESPACE,
            TARGETS,
            LISTER_RIGHTS,
            LISTER_POLICY,
            EVENTS,
            DELEGATOR,
        ]) {
            assert!(std::path::Path::new(&root(file)).exists(), "{file}");
        }
    }

    fn root(file: &str) -> String {
        format!("{}/../../{file}", env!("CARGO_MANIFEST_DIR"))
    }
}
