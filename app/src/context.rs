//! What the server hands to every page through Leptos' context. The server crate fills it per request; pages only read it.

use crate::error::{Trouble, of_value, sentence};
use domain::{
    accounts::Secret,
    fault::Fault,
    identity::Caller,
    json::diff::Change,
    services::{
        AccountService, ApprovalService, AuditService, CatalogService, EffectivenessService, IncidentService,
        PolicyService, RunService, ServiceError, ShellService,
    },
    workspace::WorkspaceListing,
};
use http::StatusCode;
use std::sync::Arc;

/// Who asks, and whom to ask.
#[derive(Clone)]
pub struct Console {
    /// The signed-in person; none before sign-in.
    pub caller: Option<Caller>,
    /// Playbooks.
    pub catalog: Arc<dyn CatalogService>,
    /// Signals and incidents.
    pub incidents: Arc<dyn IncidentService>,
    /// Recommendations, tickets, decisions.
    pub approvals: Arc<dyn ApprovalService>,
    /// Executions.
    pub runs: Arc<dyn RunService>,
    /// What works.
    pub effectiveness: Arc<dyn EffectivenessService>,
    /// Who did what.
    pub audit: Arc<dyn AuditService>,
    /// Approval policies.
    pub policies: Arc<dyn PolicyService>,
    /// People and tokens.
    pub accounts: Arc<dyn AccountService>,
    /// The frame around every page, and the time.
    pub shell: Arc<dyn ShellService>,
    /// Whether the cluster is the sandbox: said before sign-in too.
    pub sandbox: bool,
    /// By which ways people sign in.
    pub ways: SignInWays,
    /// Where the browser is to go instead of a page of ours.
    pub away: Option<Away>,
    /// The newest live event that was told before this request was looked at: whatever is shown includes it.
    pub event: i64,
    /// Where people and programs reach the console, without a slash at the end.
    pub public_url: String,
    /// The request, for error pages.
    pub request_id: String,
    /// What became of a form that could not be taken as it was sent.
    pub form: Option<FormOutcome>,
    /// Why the request was refused before any page was asked; then this is shown and nothing else.
    pub trouble: Option<Trouble>,
}

/// By which ways people sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInWays {
    /// The provider, if there is one.
    pub provider: Option<ProviderWay>,
    /// Whether the console has accounts of its own.
    pub local: bool,
}

/// The provider that people sign in at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderWay {
    /// Its name for people.
    pub name: String,
    /// Which it is: its accounts name it.
    pub issuer: String,
    /// Whether it answered when it was last asked.
    pub reachable: bool,
}

/// A page of the provider that the browser goes on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// Its address.
    pub url: String,
    /// The provider's name.
    pub provider: String,
    /// To sign out there, and not in.
    pub out: bool,
}

/// A form that could not be taken: the same page is shown again with what was typed and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct FormOutcome {
    /// Names and values as they were sent; no passwords.
    pub fields: Vec<(String, String)>,
    /// What is wrong, each at its place: the last segment of the pointer is the field's name (or a parameter's).
    pub faults: Vec<Fault>,
    /// What happened and what to do.
    pub message: Option<String>,
    /// A stable word, such as `stale_ticket`; empty for plain faults.
    pub code: String,
    /// The status of the answer.
    pub status: StatusCode,
    /// What differs, where something has changed under the form.
    pub differences: Vec<Change>,
    /// Where the form is sent, where its page takes several in.
    pub action: Option<String>,
    /// A secret that was made and is shown this once: whose, and the secret.
    pub made: Option<(String, Secret)>,
    /// The workspace that was to be listed, and what was found in it, shown this once; none where it was refused.
    pub listing: Option<(String, Option<WorkspaceListing>)>,
}

impl FormOutcome {
    /// The outcome of a service's refusal, with what was typed.
    pub fn refused(fields: Vec<(String, String)>, error: &ServiceError) -> Self {
        let status = crate::error::status(error);
        let base = Self { fields, status, ..Self::default() };
        match error {
            ServiceError::Invalid(faults) => Self { faults: faults.clone(), code: "invalid".into(), ..base },
            ServiceError::Conflict { code, detail, differences } => Self {
                message: Some(detail.clone()),
                code: (*code).to_owned(),
                differences: differences.clone(),
                ..base
            },
            other => Self { message: Some(other.to_string()), ..base },
        }
    }

    /// What was typed into a field.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// What is wrong with a field; more than one thing is joined.
    pub fn error(&self, name: &str) -> Option<String> {
        let at_field = self.faults.iter().filter(|f| last_segment(&f.pointer) == name);
        let messages: Vec<_> = at_field.map(|f| of_value(&f.message)).collect();
        match messages.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            several => Some(several.iter().map(|message| sentence(message)).collect::<Vec<_>>().join(" ")),
        }
    }

    /// The faults that belong to none of these fields.
    pub fn elsewhere(&self, names: &[&str]) -> Vec<Fault> {
        self.faults.iter().filter(|f| !names.contains(&last_segment(&f.pointer))).cloned().collect()
    }
}

/// The name at the end of a JSON pointer.
pub fn last_segment(pointer: &str) -> &str {
    pointer.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_at_its_field_and_only_there() {
        let outcome = FormOutcome {
            faults: vec![
                Fault::new("/parameters/REPLICAS", "out_of_range", "At most 10."),
                Fault::new("", "x", "Elsewhere."),
            ],
            ..FormOutcome::default()
        };
        assert_eq!(outcome.error("REPLICAS").as_deref(), Some("At most 10."));
        assert_eq!(outcome.error("OTHER"), None);
        let rest = outcome.elsewhere(&["REPLICAS"]);
        assert_eq!(rest.len(), 1);
        assert_eq!(rest[0].message, "Elsewhere.");
    }
}
