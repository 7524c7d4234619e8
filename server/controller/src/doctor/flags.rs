//! Tekton's feature flags, as far as runs depend on them (`docs/tekton-truths.md`; `deploy/base/tekton/README.md`, "Pod Security").

use super::{Place, Served, TEKTON, good, missing, note, read, unknown, untold};
use crate::calls::Calls;
use domain::ports::PreflightCheck;
use serde_json::{Map, Value, json};

const SUBJECT: &str = "Tekton's flags";
/// Where this is served an operator keeps the flags: it would take back what is changed in the ConfigMap.
const OPERATOR: &str = "operator.tekton.dev/v1alpha1";
const ENFORCED: &str = "pod-security.kubernetes.io/enforce";

/// The flags of the Tekton in that namespace of its own.
pub(super) async fn check(
    calls: &Calls,
    served: &Served,
    tekton: Option<&'static str>,
    place: &Place<'_>,
) -> PreflightCheck {
    let Some(tekton) = tekton else {
        return untold(SUBJECT, "the namespace that Tekton has them in is not known either", None);
    };
    let flags = match read(calls, &format!("/api/v1/namespaces/{tekton}/configmaps/feature-flags")).await {
        // Without it each has its default.
        Ok(map) => map.map(|map| map["data"].clone()).unwrap_or_default(),
        Err(error) => {
            let right = format!("get the ConfigMap feature-flags in {tekton}");
            return unknown(SUBJECT, &error, &right, place.name);
        }
    };
    judge(&flags, tekton, served.has(OPERATOR), place)
}

/// A flag that is not as runs want it.
struct Wrong {
    flag: &'static str,
    wanted: Value,
    /// Nothing runs before it is mended.
    stops: bool,
    words: String,
}

fn judge(flags: &Value, tekton: &'static str, operator: bool, place: &Place<'_>) -> PreflightCheck {
    let is = |flag: &str, default: &'static str| flags[flag].as_str().unwrap_or(default).to_owned();
    let mut wrong = Vec::new();
    // On OpenShift its SCC fills in what Pod Security looks for.
    let filled_in = tekton != TEKTON[0].0;
    let restricted = place.is_labelled(ENFORCED, "restricted");
    if !is_true(&is("set-security-context", "false")) && !filled_in && restricted != Some(false) {
        let words = match restricted {
            Some(_) => {
                format!("set-security-context is off, and {} enforces `restricted`: every run fails", place.name)
            }
            None => format!("set-security-context is off: where {} enforces `restricted`, every run fails", place.name),
        };
        wrong.push(Wrong { flag: "set-security-context", wanted: true.into(), stops: restricted.is_some(), words });
    }
    if is("coschedule", "workspaces") == "disabled" {
        let words =
            "coschedule is disabled: steps that share a volume come to different nodes, and may wait for it for ever";
        wrong.push(Wrong { flag: "coschedule", wanted: "workspaces".into(), stops: false, words: words.into() });
    }
    let results = is("results-from", "termination-message");
    if results != "termination-message" {
        let words = format!("results-from is {results}: the console was never tried with outputs that come that way");
        wrong.push(Wrong { flag: "results-from", wanted: "termination-message".into(), stops: false, words });
    }
    if wrong.is_empty() {
        return good(SUBJECT, format!("as runs need them, in {tekton}"));
    }
    let mend = mend(&wrong, tekton, operator);
    let stops = wrong.iter().any(|wrong| wrong.stops);
    let words = wrong.into_iter().map(|wrong| wrong.words).collect::<Vec<_>>().join("; ");
    if stops { missing(SUBJECT, words, mend) } else { note(SUBJECT, words, Some(mend)) }
}

/// As Tekton reads it (Go's `strconv.ParseBool`).
fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

/// The command that sets them: a ConfigMap has texts only.
fn mend(wrong: &[Wrong], tekton: &str, operator: bool) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let set = wrong.iter().map(|wrong| {
        let value = if operator { wrong.wanted.clone() } else { text(&wrong.wanted).into() };
        (wrong.flag.to_owned(), value)
    });
    let set: Map<String, Value> = set.collect();
    if operator {
        let change = json!({ "spec": { "pipeline": set } });
        return format!("kubectl patch tektonconfig config --type merge -p '{change}'");
    }
    let change = json!({ "data": set });
    format!("kubectl -n {tekton} patch configmap feature-flags --type merge -p '{change}'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::CallError;
    use domain::ports::PreflightOutcome;

    const UPSTREAM: &str = "tekton-pipelines";

    fn place(enforced: Option<&str>) -> Place<'static> {
        let labels = enforced.map(|level| json!({ ENFORCED: level })).ok_or(CallError::Unknown("no answer".into()));
        Place { name: "remedies", labels }
    }

    #[test]
    fn in_a_restricted_namespace_nothing_runs_without_the_flag_and_the_command_is_the_documents() {
        let check = judge(&json!({}), UPSTREAM, false, &place(Some("restricted")));
        assert_eq!(check.outcome, PreflightOutcome::Missing);
        assert!(check.words.contains("remedies enforces `restricted`: every run fails"), "{check:?}");
        let readme = include_str!("../../../../deploy/base/tekton/README.md");
        let mend = check.mend.unwrap();
        assert!(mend.contains("set-security-context") && readme.contains(&mend), "{mend}");
        for on in ["true", "True", "1"] {
            let flags = json!({ "set-security-context": on });
            assert_eq!(judge(&flags, UPSTREAM, false, &place(Some("restricted"))).outcome, PreflightOutcome::Good);
        }
        // Nothing asks for it, or something else does it.
        assert_eq!(judge(&json!({}), UPSTREAM, false, &place(Some("baseline"))).outcome, PreflightOutcome::Good);
        let openshift = judge(&json!({}), "openshift-pipelines", true, &place(Some("restricted")));
        assert_eq!(openshift.outcome, PreflightOutcome::Good);
        // Whether it is asked for is not known.
        assert_eq!(judge(&json!({}), UPSTREAM, false, &place(None)).outcome, PreflightOutcome::Note);
    }

    #[test]
    fn an_operator_is_told_and_not_worked_around() {
        let check = judge(&json!({ "set-security-context": "false" }), UPSTREAM, true, &place(Some("restricted")));
        let mend = r#"kubectl patch tektonconfig config --type merge -p '{"spec":{"pipeline":{"set-security-context":true}}}'"#;
        assert_eq!(check.mend.as_deref(), Some(mend));
    }

    #[test]
    fn what_runs_go_without_is_a_note_and_one_command_mends_all() {
        let flags = json!({ "set-security-context": "true", "coschedule": "disabled", "results-from": "sidecar-logs" });
        let check = judge(&flags, UPSTREAM, false, &place(Some("restricted")));
        assert_eq!(check.outcome, PreflightOutcome::Note);
        assert!(check.words.contains("coschedule is disabled") && check.words.contains("results-from is sidecar-logs"));
        let mend = "kubectl -n tekton-pipelines patch configmap feature-flags --type merge -p \
                    '{\"data\":{\"coschedule\":\"workspaces\",\"results-from\":\"termination-message\"}}'";
        assert_eq!(check.mend.as_deref(), Some(mend));
        for fine in ["workspaces", "pipelineruns", "isolate-pipelinerun"] {
            let flags = json!({ "set-security-context": "true", "coschedule": fine });
            assert_eq!(judge(&flags, UPSTREAM, false, &place(None)).outcome, PreflightOutcome::Good, "{fine}");
        }
    }
}
