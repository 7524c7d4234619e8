//! The audit trail: what is written in the same transaction as the thing it tells of (`safety.md`, Audit).

use crate::{
    identity::{Actor, Caller},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is to be written; the store adds time and sequence in the transaction of the act.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Who.
    pub actor: Actor,
    /// By which route: method and path template, a command, or a reconciler.
    pub route: String,
    /// What was done: `playbook.register`, `decision.approve`, …
    pub action: String,
    /// On what kind of object.
    pub object_kind: String,
    /// On which object.
    pub object_id: String,
    /// The state before, where there was one.
    pub before: Option<Value>,
    /// The state after.
    pub after: Option<Value>,
    /// The reason a person gave. Never filled in by the console.
    pub reason: Option<String>,
    /// The request.
    pub request_id: String,
}

impl AuditEntry {
    /// An entry by this caller; add `before`, `after` and `reason` with the struct's fields.
    pub fn by(caller: &Caller, action: &str, object_kind: &str, object_id: impl Into<String>) -> Self {
        Self {
            actor: caller.actor.clone(),
            route: caller.route.clone(),
            action: action.to_owned(),
            object_kind: object_kind.to_owned(),
            object_id: object_id.into(),
            before: None,
            after: None,
            reason: None,
            request_id: caller.request_id.clone(),
        }
    }
}

/// A row of the trail as it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditRecord {
    /// Position in the trail; grows without gaps.
    pub sequence: i64,
    /// When, by the database's clock.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// By which route.
    pub route: String,
    /// What was done.
    pub action: String,
    /// On what kind of object.
    pub object_kind: String,
    /// On which object.
    pub object_id: String,
    /// The state before.
    pub before: Option<Value>,
    /// The state after.
    pub after: Option<Value>,
    /// The reason a person gave.
    pub reason: Option<String>,
    /// The request.
    pub request_id: String,
}

/// What is written to the trail, with a few words for people. An action that is not here is shown as it is written.
pub const ACTIONS: [(&str, &str); 18] = [
    ("recommendation.submit", "Recommendation came in"),
    ("ticket.make", "Ticket made"),
    ("decision.approve", "Approved"),
    ("decision.reject", "Rejected"),
    ("execution.cancel", "Cancel asked for"),
    ("execution.list_workspace", "Workspace's listing asked for"),
    ("playbook.register", "Playbook registered"),
    ("playbook.status", "Playbook's status changed"),
    ("account.sign_in", "Signed in"),
    ("account.sign_in_refused", "Sign-in refused"),
    ("account.create", "Account created"),
    ("account.disable", "Account disabled"),
    ("account.roles", "Roles changed"),
    ("account.rename", "Account renamed"),
    ("group.block", "Group blocked"),
    ("group.unblock", "Group unblocked"),
    ("token.create", "Token created"),
    ("token.revoke", "Token revoked"),
];

/// The family of an action, with its dot: `decision.` of `decision.approve`.
pub fn family(action: &str) -> Option<&str> {
    action.find('.').map(|dot| &action[..=dot])
}

/// An action in words; none where it is not known.
pub fn words(action: &str) -> Option<&'static str> {
    ACTIONS.iter().find(|(name, _)| *name == action).map(|(_, words)| *words)
}

/// Which rows of the trail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFilter {
    /// Actor's name or id contains this.
    pub actor: Option<String>,
    /// Exactly this action, such as `decision.approve`; with a dot at its end all of a family, such as `decision.`.
    pub action: Option<String>,
    /// Object id contains this.
    pub object: Option<String>,
    /// Any text of the row contains this.
    pub q: Option<String>,
    /// Written at or after.
    pub from: Option<Timestamp>,
    /// Written before.
    pub to: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_come_in_families_and_have_words() {
        assert_eq!((family("decision.approve"), family("odd")), (Some("decision."), None));
        assert_eq!((words("decision.approve"), words("decision.approved")), (Some("Approved"), None));
        assert!(ACTIONS.iter().all(|(action, _)| family(action).is_some_and(|f| f.len() < action.len())));
    }
}
