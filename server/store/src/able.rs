//! Who may by now: people who are enabled, in no blocked group and still have a right, and tokens that are nobody's, not revoked and not
//! expired. Where the console's own accounts are switched off, what such a person said at a browser counts no more; their tokens go on.
//! Read where words given earlier are counted, in that transaction. Whoever is not found may not.

use crate::{
    Store,
    dialect::Dialect,
    provider::blocked,
    sql::{Row, Sql},
};
use domain::{
    identity::{Actor, Right, Role},
    ids::ActorId,
    policy::Voter,
    ports::StoreError,
};
use sqlx::AnyConnection;
use std::collections::BTreeSet;

/// What decides who gets in besides what is stored.
#[derive(Clone, Copy)]
pub(crate) struct Today {
    dialect: Dialect,
    local_accounts: bool,
}

impl Store {
    pub(crate) fn today(&self) -> Today {
        Today { dialect: self.dialect(), local_accounts: self.0.local_accounts }
    }
}

/// The people behind these who still have the right, in no order.
pub(crate) async fn able(
    today: Today,
    on: &mut AnyConnection,
    givers: &[&Actor],
    right: Right,
) -> Result<Vec<Voter>, StoreError> {
    let among: BTreeSet<&ActorId> = givers.iter().map(|giver| giver.person()).collect();
    let in_person: BTreeSet<&str> =
        givers.iter().filter(|giver| giver.owner.is_none()).map(|giver| giver.id.as_str()).collect();
    let mut found = Vec::new();
    if among.is_empty() {
        return Ok(found);
    }
    let of = |text: &str| {
        let mut sql = Sql::new("approver", text);
        sql.list(among.iter().map(|person| person.as_str()));
        sql
    };
    let people = of("SELECT id, name, roles, issuer, member_of FROM users WHERE disabled = 0 AND id IN ");
    let tokens = of(&format!(
        "SELECT id, roles FROM tokens WHERE owner IS NULL AND revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > {}) AND id IN ",
        today.dialect.now()
    ));
    let shut: Vec<String> = blocked(on).await?.into_iter().map(|group| group.name).collect();
    for row in &people.all(on).await? {
        let groups: Vec<String> = row.maybe_json("member_of")?.unwrap_or_default();
        let local = row.maybe_text("issuer")?.is_none();
        if local && !today.local_accounts && in_person.contains(row.text("id")?.as_str()) {
            continue;
        }
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
