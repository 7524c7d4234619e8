//! Groups of the provider, as far as they count here: what they give, how many are in them, and which are blocked.

use super::Accounts;
use crate::services::store_fault;
use domain::{
    audit::AuditEntry,
    fault::Fault,
    identity::{Caller, Role},
    provider::{EVERYBODY, check_group},
    services::{Answer, GroupView, ServiceError},
};
use serde_json::json;

impl Accounts {
    /// The groups that give a role or are blocked, by name; none where there is no provider.
    pub(super) async fn seen_groups(&self) -> Answer<Option<Vec<GroupView>>> {
        let Some(provider) = &self.provider else { return Ok(None) };
        let blocked = provider.store.blocked_groups().await.map_err(store_fault)?;
        let users = self.store.users().await.map_err(store_fault)?;
        let own = users.iter().filter_map(|user| user.external.as_ref());
        let own: Vec<_> = own.filter(|from| from.issuer == provider.rules.issuer).collect();
        let mut names: Vec<&String> = provider.rules.roles.iter().map(|(group, _)| group).collect();
        names.extend(blocked.iter().map(|group| &group.name));
        names.sort_unstable();
        names.dedup();
        let view = |name: &String| GroupView {
            name: name.clone(),
            roles: gives(&provider.rules.roles, name),
            people: own.iter().filter(|from| name == EVERYBODY || from.groups.contains(name)).count(),
            blocked: blocked.iter().find(|group| group.name == *name).map(|group| (group.at, group.by.clone())),
        };
        Ok(Some(names.into_iter().map(view).collect()))
    }

    /// Blocks or unblocks a group. Whoever blocks is not in it: so somebody is left who can unblock it.
    pub(super) async fn set_blocked(&self, caller: &Caller, group: &str, block: bool) -> Answer<()> {
        let provider = self.provider.as_ref().ok_or(ServiceError::NotFound("group"))?;
        let named = if group == EVERYBODY {
            Err(Fault::new("/group", "not_allowed", "this stands for everybody: switch the provider off instead"))
        } else {
            check_group(group).map_err(|complaint| complaint.at("/group"))
        };
        named.map_err(|fault| ServiceError::Invalid(vec![fault]))?;
        if block && self.is_in(caller, group).await? {
            return Err(ServiceError::Forbidden("you are in this group yourself: ask another admin".into()));
        }
        self.authenticated_lately(
            caller,
            "a group says who may decide",
            if block { "block one" } else { "let one in again" },
        )?;
        let action = if block { "group.block" } else { "group.unblock" };
        let mut audit = AuditEntry::by(caller, action, "group", group);
        audit.before = Some(json!({ "blocked": !block }));
        audit.after = Some(json!({ "blocked": block }));
        let done = if block {
            provider.store.block_group(group, audit).await
        } else {
            provider.store.unblock_group(group, audit).await
        };
        match (done.map_err(store_fault)?, block) {
            (true, _) => Ok(()),
            (false, true) => Err(ServiceError::Conflict {
                code: "blocked_already",
                detail: format!("{group} is blocked already"),
                differences: Vec::new(),
            }),
            (false, false) => Err(ServiceError::NotFound("blocked group")),
        }
    }

    async fn is_in(&self, caller: &Caller, group: &str) -> Answer<bool> {
        let user = self.store.user(caller.actor.person().as_str()).await.map_err(store_fault)?;
        let from = user.and_then(|user| user.external);
        Ok(from.is_some_and(|from| from.groups.iter().any(|own| own == group)))
    }
}

fn gives(roles: &[(String, Role)], group: &str) -> Vec<Role> {
    roles.iter().filter(|(name, _)| name == group).map(|(_, role)| *role).collect()
}
