//! Whose approvals count no more: of people who are disabled since, in a blocked group or may decide no more, of accounts of the
//! console's own where those are switched off, and of revoked or expired tokens that were nobody's. Read where approvals are counted, in that transaction.

use crate::{
    Store,
    provider::blocked,
    sql::{Row, Sql},
};
use domain::{
    decision::{Decision, Verb},
    identity::{Right, Role},
    ids::ActorId,
    ports::StoreError,
};
use sqlx::AnyConnection;
use std::collections::BTreeSet;

pub(super) async fn lapsed(
    store: &Store,
    on: &mut AnyConnection,
    decisions: &[Decision],
) -> Result<BTreeSet<ActorId>, StoreError> {
    let approvals = || decisions.iter().filter(|decision| decision.verb == Verb::Approve);
    // A person's tokens go on where people no longer sign in with the console's own accounts.
    let in_person = approvals().filter(|decision| decision.actor.owner.is_none());
    let in_person: BTreeSet<&str> = in_person.map(|decision| decision.actor.id.as_str()).collect();
    let mut lapsed: BTreeSet<ActorId> = approvals().map(|decision| decision.actor.person().clone()).collect();
    if lapsed.is_empty() {
        return Ok(lapsed);
    }
    let among = |text: &str| {
        let mut sql = Sql::new("approver", text);
        sql.list(lapsed.iter().map(ActorId::as_str));
        sql
    };
    let people = among("SELECT id, roles, issuer, member_of FROM users WHERE disabled = 0 AND id IN ");
    let tokens = among(&format!(
        "SELECT id, roles FROM tokens WHERE owner IS NULL AND revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > {}) AND id IN ",
        store.dialect().now()
    ));
    let shut: Vec<String> = blocked(on).await?.into_iter().map(|group| group.name).collect();
    let mut standing = Vec::new();
    for row in &people.all(on).await? {
        let groups: Vec<String> = row.maybe_json("member_of")?.unwrap_or_default();
        let local = row.maybe_text("issuer")?.is_none();
        if local && !store.0.local_accounts && in_person.contains(row.text("id")?.as_str()) {
            continue;
        }
        if !groups.iter().any(|group| shut.contains(group)) {
            standing.extend(deciding(row)?);
        }
    }
    for row in &tokens.all(on).await? {
        standing.extend(deciding(row)?);
    }
    // Whoever is not found does not count either.
    for id in &standing {
        lapsed.remove(id);
    }
    Ok(lapsed)
}

/// Whose row it is, if they may decide.
fn deciding(row: &Row) -> Result<Option<ActorId>, StoreError> {
    let roles: Vec<Role> = row.json("roles")?;
    let may = roles.iter().any(|role| role.grants(Right::Decide));
    may.then(|| row.text("id").map(ActorId::new)).transpose()
}
