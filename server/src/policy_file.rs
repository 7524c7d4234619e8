//! The approval policy kept in a file: read at the start, and put in force where another one is. It is changed there only; a file
//! that is no policy keeps the console from starting.

use crate::{
    services::read_policy,
    terminal::{Fault, print},
};
use domain::{
    audit::AuditEntry,
    identity::Actor,
    ids::Digest,
    policy::Conditions,
    ports::{Activated, Activation, NewPolicy, PolicyOrigin, PolicyStore},
};
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// As whom it acts.
const PART: &str = "policy file";

/// Reads the file and puts what it says in force.
pub async fn put_in_force(
    store: &dyn PolicyStore,
    path: &Path,
    conditions: &dyn Conditions,
    request_id: String,
) -> Result<(), Fault> {
    let at = path.display();
    let yaml = std::fs::read_to_string(path)
        .map_err(|error| Fault::wrong_setting(format!("the policy file {at} can't be read: {error}")))?;
    let policy = read_policy(&yaml, conditions).map_err(|faults| {
        let told = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ");
        Fault::wrong_setting(format!("the policy file {at} is no policy; mend it and start again:\n  {told}"))
    })?;
    let active = store.active().await?;
    if active.digest == Digest::from_bytes(Sha256::digest(&yaml).into()) {
        return Ok(());
    }
    let by = Actor::system(PART);
    let entry = |action: &str| {
        AuditEntry::of_console(PART, "kubernaut-console serve --policy-file", action, "policy", "", request_id.clone())
    };
    let name = policy.name.clone();
    let new = NewPolicy { policy, yaml, origin: PolicyOrigin::File, by: by.clone() };
    let version = store.draft(new, entry("policy.draft")).await?.version;
    let activation = Activation { version, by: by.clone(), reason: None, need: Some(1) };
    match store.activate(activation, entry("policy.activate")).await? {
        Activated::Done(_) => {
            print(&format!("policy {name} v{version} of {at} is in force"));
            Ok(())
        }
        other => Err(Fault::failed(format!("the policy of {at} was not put in force: {other:?}"))),
    }
}
