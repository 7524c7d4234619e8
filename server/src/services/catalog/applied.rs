//! RemediationWorkflows: registrations that somebody applied to the cluster. The same checks and the same row in the audit trail
//! as by any other door; whether they may register was judged by the cluster, when it let them create the object.

use super::{Services, parse, store_fault};
use domain::{
    fault::{Fault, code},
    identity::Caller,
    json::strict::BODY_BYTES,
    playbook::{applied, compare},
    ports::{AppliedPlaybook, PlaybookApplied, PlaybookRecord},
    services::{Answer, ServiceError},
};
use serde_json::{Value, json};

/// Places of differences that a refusal names.
const NAMED: usize = 5;

impl Services {
    /// Registers what was applied, or says why not.
    pub(in crate::services) async fn register_applied(
        &self,
        caller: &Caller,
        object: &AppliedPlaybook,
    ) -> PlaybookApplied {
        match self.applied(caller, object).await {
            Ok(record) => PlaybookApplied::Registered(Box::new(record)),
            Err(ServiceError::Invalid(faults)) => {
                PlaybookApplied::Invalid(faults.into_iter().map(applied::fault).collect())
            }
            Err(ServiceError::Conflict { detail, differences, .. }) => {
                let places: Vec<_> = differences.iter().map(|change| change.pointer.as_str()).collect();
                let more = if places.len() > NAMED { ", …" } else { "" };
                let places = applied::words(&places[..places.len().min(NAMED)].join(", "));
                PlaybookApplied::Different(format!("{detail}; they differ in {places}{more}"))
            }
            Err(other) => {
                tracing::warn!(name = object.name, error = ?other, "an applied RemediationWorkflow can't be registered now");
                PlaybookApplied::Later
            }
        }
    }

    async fn applied(&self, caller: &Caller, object: &AppliedPlaybook) -> Answer<PlaybookRecord> {
        let document = applied::registration(&object.spec);
        short_enough(&document)?;
        // After a restart every object is handed in again: what is there already costs one row that is read.
        let new = parse(&document)?;
        let known = self.world.catalog.version(&new.id, &new.version).await.map_err(store_fault)?;
        if let Some(known) = known.filter(|known| compare(&known.registration, &new).is_empty()) {
            return Ok(known);
        }
        let after = json!({ "remediation_workflow": object.name });
        self.store_registration(caller, &document, after).await.map(|(record, _)| record)
    }
}

/// As long as the body of a request may be, and no longer.
fn short_enough(document: &Value) -> Answer<()> {
    let bytes = document.to_string().len();
    if bytes <= BODY_BYTES {
        return Ok(());
    }
    let message = format!("shorten it: a registration has at most {BODY_BYTES} bytes of JSON, not {bytes}");
    Err(ServiceError::Invalid(vec![Fault::new("", code::TOO_LONG, message)]))
}

#[cfg(test)]
mod tests;
