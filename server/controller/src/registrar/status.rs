//! What a RemediationWorkflow says of itself, for `kubectl get` and `kubectl wait --for=condition=Registered`. What it says
//! already is not written again.

use crate::{
    calls::{CallError, Kind},
    context::Context,
    crd::{Condition, REGISTERED, RegisteredVersion, RemediationWorkflowStatus},
    trouble::Trouble,
};
use domain::{
    fault::Fault,
    ports::{PlaybookApplied, PlaybookRecord, PlaybookStatus},
};
use serde_json::{Value, json};

/// Faults that are listed one by one.
const LISTED: usize = 20;
/// The longest message of a condition (metav1.Condition).
const LONGEST: usize = 32_768;
const MEND: &str = "mend the file, then `kubectl replace --force -f` it";

/// Writes what came of it, where that is not there yet; whether it was news.
pub async fn tell(context: &Context, object: &Value, came: &PlaybookApplied) -> Result<bool, Trouble> {
    let before: RemediationWorkflowStatus = serde_json::from_value(object["status"].clone()).unwrap_or_default();
    let generation = object["metadata"]["generation"].as_i64();
    let now = context.ports.clock.now().to_string();
    let status = of(came, &before, generation, &now);
    if status == before {
        return Ok(false);
    }
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    let condition = &status.conditions[0];
    tracing::info!(
        name = text("name"),
        registered = condition.status,
        reason = condition.reason,
        message = condition.message,
        "a RemediationWorkflow was looked at"
    );
    let mut value = json!(status);
    // A merge patch leaves what it does not name.
    value["playbook"] = json!(status.playbook);
    let written = context.calls.merge_status(Kind::Registration, text("namespace"), text("name"), text("uid"), value);
    match written.await {
        // Deleted, or another object under the name, which is looked at by itself.
        Ok(_) | Err(CallError::NotFound(_) | CallError::Conflict(_)) => Ok(true),
        Err(other) => Err(other.into()),
    }
}

fn of(
    came: &PlaybookApplied,
    before: &RemediationWorkflowStatus,
    generation: Option<i64>,
    now: &str,
) -> RemediationWorkflowStatus {
    let (status, reason, message) = match came {
        PlaybookApplied::Registered(record) => ("True", "Registered", in_the_catalog(record)),
        PlaybookApplied::Superseded(record, newer) => {
            ("True", "Superseded", format!("{}; {newer} is newer and active", in_the_catalog(record)))
        }
        PlaybookApplied::Different(words) => ("False", "VersionExists", words.clone()),
        PlaybookApplied::Invalid(faults) => ("False", "Invalid", format!("{}; {MEND}", listed(faults))),
        PlaybookApplied::Later => {
            let words =
                "the console's database, or the image's registry, does not answer; the console tries again by itself";
            ("Unknown", "NotYet", words.to_owned())
        }
    };
    let playbook = match came {
        PlaybookApplied::Registered(record) | PlaybookApplied::Superseded(record, _) => Some(RegisteredVersion {
            id: record.registration.id.to_string(),
            version: record.registration.version.to_string(),
            image: record.image.to_string(),
        }),
        // What was registered stays so while nobody can look.
        PlaybookApplied::Later => before.playbook.clone(),
        PlaybookApplied::Different(_) | PlaybookApplied::Invalid(_) => None,
    };
    let since = before.registered().filter(|condition| condition.status == status);
    let condition = Condition {
        kind: REGISTERED.into(),
        status: status.into(),
        reason: reason.into(),
        message: message.chars().take(LONGEST).collect(),
        last_transition_time: since.map_or_else(|| now.to_owned(), |condition| condition.last_transition_time.clone()),
        observed_generation: generation,
    };
    RemediationWorkflowStatus { observed_generation: generation, conditions: vec![condition], playbook }
}

/// Since when and by whom, and whether it may run.
fn in_the_catalog(record: &PlaybookRecord) -> String {
    let by = if record.registered_by.is_cluster() {
        "from the cluster".to_owned()
    } else {
        format!("by {}", record.registered_by.name)
    };
    let stands = match record.status {
        PlaybookStatus::Active => "",
        PlaybookStatus::Disabled => "; it is disabled",
        PlaybookStatus::Deprecated => "; it is deprecated",
    };
    format!("the catalog has it, registered {by} at {}{stands}", record.registered_at)
}

fn listed(faults: &[Fault]) -> String {
    let mut words: Vec<String> = faults.iter().take(LISTED).map(ToString::to_string).collect();
    if faults.len() > LISTED {
        words.push(format!("and {} more", faults.len() - LISTED));
    }
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-23T03:00:00.000Z";
    const LATER: &str = "2026-11-23T04:00:00.000Z";

    fn first(status: &RemediationWorkflowStatus) -> (&str, &str, &str) {
        let condition = &status.conditions[0];
        (&condition.status, &condition.reason, &condition.last_transition_time)
    }

    #[test]
    fn the_same_answer_gives_the_same_status_and_another_a_new_time() {
        let came = PlaybookApplied::Different("give this one a new version".into());
        let told = of(&came, &RemediationWorkflowStatus::default(), Some(1), NOW);
        assert_eq!(first(&told), ("False", "VersionExists", NOW));
        assert_eq!(of(&came, &told, Some(1), LATER), told);
        let unknown = of(&PlaybookApplied::Later, &told, Some(1), LATER);
        assert_eq!(first(&unknown), ("Unknown", "NotYet", LATER));
        assert_eq!(of(&PlaybookApplied::Later, &unknown, Some(1), NOW), unknown);
    }

    #[test]
    fn a_flood_of_faults_is_cut_and_says_what_to_do() {
        let faults = (0..300).map(|n| Fault::new(format!("/{n}"), "x", "no")).collect();
        let told = of(&PlaybookApplied::Invalid(faults), &RemediationWorkflowStatus::default(), Some(1), NOW);
        let message = &told.conditions[0].message;
        assert!(
            message.starts_with("/0: no; /1: no") && message.contains("/19: no; and 280 more; mend the file"),
            "{message}"
        );
    }

    #[test]
    fn a_status_that_nobody_can_look_up_keeps_what_it_says_of_the_catalog() {
        let known = RegisteredVersion { id: "a".into(), version: "1.0.0".into(), image: "r/a@sha256:x".into() };
        let before = RemediationWorkflowStatus { playbook: Some(known.clone()), ..Default::default() };
        assert_eq!(of(&PlaybookApplied::Later, &before, Some(1), NOW).playbook, Some(known));
        assert_eq!(of(&PlaybookApplied::Invalid(Vec::new()), &before, Some(1), NOW).playbook, None);
    }
}
