//! The people of the demo. Only the first admin can sign in: the others have a password that nobody knows, until an admin
//! sets one. They are there as actors, so that a decision can wait for the second person.

use super::SceneError;
use crate::accounts::{hash_password, new_password};
use domain::{
    audit::AuditEntry,
    identity::{Actor, Role},
    ports::{AccountStore, Ids, UserRecord},
};
use serde_json::json;

/// The operator who has often looked already.
pub const FIRST_OPERATOR: &str = "a.lindqvist";
/// The other operator.
pub const SECOND_OPERATOR: &str = "m.okafor";

const PEOPLE: [(&str, Role); 4] = [
    (FIRST_OPERATOR, Role::Operator),
    (SECOND_OPERATOR, Role::Operator),
    ("p.ferreira", Role::Author),
    ("v.tanaka", Role::Viewer),
];

/// Creates the accounts that are not there yet.
pub async fn create(accounts: &dyn AccountStore, ids: &dyn Ids) -> Result<(), SceneError> {
    // One hash for all: nobody knows the password, and hashing is slow on purpose.
    let hash = tokio::task::spawn_blocking(|| hash_password(&new_password()))
        .await
        .map_err(|error| SceneError::Password(error.to_string()))?
        .map_err(|error| SceneError::Password(error.to_string()))?;
    for (name, role) in PEOPLE {
        let entry = AuditEntry {
            after: Some(json!({ "roles": [role] })),
            ..AuditEntry::of_console("demo scene", super::ROUTE, "account.create", "account", name, ids.fresh())
        };
        accounts.create_user(&format!("user:{}", ids.fresh()), name, &[role], &hash, entry).await?;
    }
    Ok(())
}

/// The operator of that name, while they may decide.
pub async fn operator(accounts: &dyn AccountStore, name: &str) -> Result<Option<Actor>, SceneError> {
    let may = |user: &UserRecord| user.name == name && !user.disabled && user.roles.contains(&Role::Operator);
    Ok(accounts.users().await?.iter().find(|user| may(user)).map(UserRecord::actor))
}
