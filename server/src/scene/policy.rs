//! The policy of the demo: as the one that the console came with, and what fails or does not help is undone, and followed by what was
//! recommended next. Each of these waits for people as anything else.

use super::{ROUTE, SceneError, SceneWorld};
use crate::{conditions::Cel, services::read_policy};
use domain::{
    audit::AuditEntry,
    identity::Actor,
    ports::{Activation, NewPolicy, PolicyOrigin},
    services::ServiceError,
};

const POLICY: &str = "\
# One person approves; two where the risk is high. Never automatically. What fails or does not help is rolled back, and followed by
# the next strategy: each is proposed by itself and waits for people as anything else.
name: demo
rules:
  - name: high-risk
    match:
      risk: high
    approvals: 2
    recovery: rollback-then-next-strategy
  - name: everything-else
    approvals: 1
    recovery: rollback-then-next-strategy
";

/// Puts it in force, unless somebody has put another one there.
pub async fn put_in_force(world: &SceneWorld) -> Result<(), SceneError> {
    if world.policies.active().await?.origin != PolicyOrigin::BuiltIn {
        return Ok(());
    }
    let policy = read_policy(POLICY, &Cel::new()).map_err(ServiceError::Invalid)?;
    let by = Actor::system("demo scene");
    let entry = |action: &str| AuditEntry::of_console("demo scene", ROUTE, action, "policy", "", world.ids.fresh());
    let new = NewPolicy { policy, yaml: POLICY.to_owned(), origin: PolicyOrigin::Console, by: by.clone() };
    let version = world.policies.draft(new, entry("policy.draft")).await?.version;
    let activation = Activation { version, by, reason: None, need: Some(1) };
    world.policies.activate(activation, entry("policy.activate")).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_policy() {
        let policy = read_policy(POLICY, &Cel::new()).unwrap();
        assert!(policy.rules.iter().all(|rule| !rule.recovery.is_none()));
    }
}
