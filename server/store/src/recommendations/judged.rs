//! What was decided or expired, as policies are tried on it: a page in one state of the database, with decisions, tickets and runs.

use super::rows::{self, COLUMNS, recommendation};
use crate::{Store, executions::of_recommendations, sql::Sql};
use domain::{
    ids::{Digest, RecommendationId},
    ports::{Judged, StoreError, StoredTicket},
    recommendation::Recommendation,
    time::Timestamp,
};
use std::collections::HashMap;

pub(super) async fn judged(
    store: &Store,
    since: Timestamp,
    before: Option<(Timestamp, RecommendationId)>,
    many: u32,
) -> Result<Vec<Judged>, StoreError> {
    let now = store.dialect().now();
    let mut snapshot = store.snapshot().await?;
    let mut sql = Sql::new(
        "recommendation",
        format!(
            "SELECT {COLUMNS}, {now} AS now FROM recommendations r WHERE (r.state IN ('decided', 'expired') \
             OR (r.state = 'open' AND r.expires_at <= {now})) AND r.created_at >= "
        ),
    );
    sql.value(since);
    if let Some((at, id)) = before {
        sql.push(" AND (r.created_at, r.id) < ").tuple([at.into(), id.as_str().into()]);
    }
    sql.push(" ORDER BY r.created_at DESC, r.id DESC LIMIT ").value(many);
    let rows = sql.all(&mut snapshot).await?;
    let found = rows.iter().map(recommendation).collect::<Result<Vec<Recommendation>, _>>()?;
    let ids: Vec<RecommendationId> = found.iter().map(|one| one.id.clone()).collect();
    let mut decisions = rows::decisions_of_each(&mut snapshot, &ids).await?;
    let last = decisions.values().filter_map(|all| all.last()?.ticket_digest.clone());
    let tickets = rows::tickets(&mut snapshot, &last.collect::<Vec<_>>()).await?.into_iter();
    let mut tickets: HashMap<Digest, StoredTicket> = tickets.map(|one| (one.digest.clone(), one)).collect();
    let mut runs = of_recommendations(&mut snapshot, &ids).await?;
    let whole = found.into_iter().map(|recommendation| {
        let decisions = decisions.remove(&recommendation.id).unwrap_or_default();
        let ticket = decisions.last().and_then(|last| tickets.remove(last.ticket_digest.as_ref()?));
        let run = runs.remove(&recommendation.id);
        Judged { recommendation, decisions, ticket, run }
    });
    Ok(whole.collect())
}
