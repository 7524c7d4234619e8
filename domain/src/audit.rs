//! The audit trail: what is written in the same transaction as the thing it tells of (`safety.md`, Audit), and the chain that
//! shows whether it is still what was written.

mod chain;
mod coalescing;
mod keys;
mod verify;

pub use chain::{Chained, Head, Mac, NotAMac, end_of_some, link};
pub use coalescing::Coalescing;
pub use keys::{Key, KeyFault, Keys};
pub use verify::{Broken, Known, Row, Unbroken, Verdict, Verifier, Wrong};

use crate::{
    identity::{Actor, Caller, Door, Way},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::IpAddr;

/// Another key is in use from the next row on; `after.key` names it.
pub const ROTATE_KEY: &str = "audit.rotate_key";
/// The key that was in use is lost; this row and the next use the one that `after.key` names.
pub const REPLACE_KEY: &str = "audit.replace_lost_key";
/// The rows up to `after.last_sequence` were removed; the first that is kept follows on `after.last_mac`.
pub const PRUNE: &str = "audit.prune";
/// The rows up to `after.last_sequence` were there before they were chained.
pub const SEAL: &str = "audit.seal";

/// What is to be written; the store adds time and sequence in the transaction of the act.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Who.
    pub actor: Actor,
    /// By which way: the door, and the address of whoever stood before it.
    pub way: Way,
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
            way: caller.way,
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

    /// An entry by a part of the console itself, with nobody before a door.
    pub fn of_console(
        part: &str,
        route: &str,
        action: &str,
        object_kind: &str,
        object_id: &str,
        request_id: String,
    ) -> Self {
        Self {
            actor: Actor::system(part),
            way: Way::default(),
            route: route.to_owned(),
            action: action.to_owned(),
            object_kind: object_kind.to_owned(),
            object_id: object_id.to_owned(),
            before: None,
            after: None,
            reason: None,
            request_id,
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
    /// By which door.
    pub door: Door,
    /// From which address; none where there was no connection.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub address: Option<IpAddr>,
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
    /// The key that it was chained with; none where it is not chained.
    pub key: Option<String>,
    /// What chains it to the row before; none where it is not chained.
    pub mac: Option<Mac>,
}

impl AuditRecord {
    /// What its mac covers: every field but the mac itself. What is none is left out, so that a field that comes with a later
    /// version changes nothing about the rows from before.
    pub fn content(&self) -> Value {
        let mut content = json!({
            "sequence": self.sequence, "at": self.at, "actor": self.actor, "door": self.door, "route": self.route,
            "action": self.action, "object_kind": self.object_kind, "object_id": self.object_id,
            "request_id": self.request_id,
        });
        let text = |text: &Option<String>| text.clone().map(Value::String);
        let optional = [
            ("address", self.address.map(|address| Value::String(address.to_string()))),
            ("before", self.before.clone()),
            ("after", self.after.clone()),
            ("reason", text(&self.reason)),
            ("key", text(&self.key)),
        ];
        if let Some(members) = content.as_object_mut() {
            members.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
        content
    }
}

/// A legal hold: while it stands nothing of the trail is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hold {
    /// Since when, by the database's clock.
    pub since: Timestamp,
    /// Who set it.
    pub by: Actor,
    /// Why.
    pub reason: String,
}

/// What is written to the trail, with a few words for people. An action that is not here is shown as it is written.
pub const ACTIONS: &[(&str, &str)] = &[
    ("recommendation.submit", "Recommendation came in"),
    ("recommendation.rollback", "Rollback of a run asked for"),
    ("recommendation.retry", "Retry of a run asked for"),
    ("recommendation.next_strategy", "Next strategy taken up"),
    ("ticket.make", "Ticket made"),
    ("decision.approve", "Approved"),
    ("decision.reject", "Rejected"),
    ("execution.cancel", "Cancel asked for"),
    ("execution.list_workspace", "Workspace's listing asked for"),
    ("finding.triage", "Finding triaged"),
    ("finding.turn", "Recommendation made of a finding"),
    ("playbook.register", "Playbook registered"),
    ("playbook.status", "Playbook's status changed"),
    ("policy.draft", "Policy written"),
    ("policy.agree", "Agreed to a policy"),
    ("policy.activate", "Policy put in force"),
    ("account.sign_in", "Signed in"),
    ("account.sign_in_again", "Signed in again"),
    ("account.sign_out", "Signed out"),
    ("account.refuse_sign_in", "Sign-in refused"),
    ("account.refuse_proof", "Own password was wrong"),
    ("account.limit_sign_in", "Too many sign-ins"),
    ("account.create", "Account created"),
    ("account.disable", "Account disabled"),
    ("account.enable", "Account enabled"),
    ("account.roles", "Roles changed"),
    ("account.password", "Password changed"),
    ("account.rename", "Account renamed"),
    ("session.begin", "Session begun"),
    ("session.end", "Sessions ended"),
    ("group.block", "Group blocked"),
    ("group.unblock", "Group unblocked"),
    ("token.create", "Token created"),
    ("token.revoke", "Token revoked"),
    ("notification.test", "Test notification sent"),
    ("notification.redeliver", "Notification delivered again"),
    ("notification.discard", "Notification discarded"),
    ("refusal.right", "Refused: too little right"),
    ("refusal.others", "Many others refused"),
    ("audit.export", "Trail exported"),
    ("audit.hold", "Legal hold set"),
    ("audit.release", "Legal hold released"),
    (PRUNE, "Old rows removed"),
    (SEAL, "Earlier rows chained"),
    (ROTATE_KEY, "Key changed"),
    (REPLACE_KEY, "Lost key replaced"),
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
    /// Came in by this door.
    pub door: Option<Door>,
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
        // A page lists them by family: one that comes twice would be listed twice.
        let families: Vec<_> = ACTIONS.iter().filter_map(|(action, _)| family(action)).collect();
        let mut runs = families.clone();
        runs.dedup();
        let mut distinct = runs.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(runs.len(), distinct.len(), "{families:?}");
    }
}
