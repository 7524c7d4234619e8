//! Who may by now: people who are enabled, in no blocked group and still have a right, and tokens that are nobody's and were not
//! revoked. Read where words given earlier are counted, in that transaction. Whoever is not found may not.

use crate::{
    provider::blocked,
    sql::{Row, Sql},
};
use domain::{
    identity::{Right, Role},
    ids::ActorId,
    policy::Voter,
    ports::StoreError,
};
use sqlx::AnyConnection;
use std::collections::BTreeSet;

/// Those of these who still have the right, in no order.
pub(crate) async fn able(
    on: &mut AnyConnection,
    among: &BTreeSet<ActorId>,
    right: Right,
) -> Result<Vec<Voter>, StoreError> {
    let mut found = Vec::new();
    if among.is_empty() {
        return Ok(found);
    }
    let of = |text: &str| {
        let mut sql = Sql::new("approver", text);
        sql.list(among.iter().map(ActorId::as_str));
        sql
    };
    let people = of("SELECT id, name, roles, member_of FROM users WHERE disabled = 0 AND id IN ");
    let tokens = of("SELECT id, roles FROM tokens WHERE owner IS NULL AND revoked_at IS NULL AND id IN ");
    let shut: Vec<String> = blocked(on).await?.into_iter().map(|group| group.name).collect();
    for row in &people.all(on).await? {
        let groups: Vec<String> = row.maybe_json("member_of")?.unwrap_or_default();
        if !groups.iter().any(|group| shut.contains(group)) {
            found.extend(having(right, row, row.text("name")?)?);
        }
    }
    for row in &tokens.all(on).await? {
        // Its name is no account's.
        found.extend(having(right, row, String::new())?);
    }
    Ok(found)
}

/// Whose row it is, if they have the right.
fn having(right: Right, row: &Row, name: String) -> Result<Option<Voter>, StoreError> {
    let roles: Vec<Role> = row.json("roles")?;
    if !roles.iter().any(|role| role.grants(right)) {
        return Ok(None);
    }
    Ok(Some(Voter { person: ActorId::new(row.text("id")?), name, roles }))
}
