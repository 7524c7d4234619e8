//! Rows of recommendations, tickets and decisions as the domain reads them.

use crate::sql::{Row, Sql};
use domain::{
    decision::{Decision, Verb},
    ids::{DecisionId, Digest, RecommendationId},
    ports::{StoreError, StoredTicket},
    recommendation::{Recommendation, RecommendationState},
};
use sqlx::AnyConnection;
use std::collections::HashMap;

/// What [`recommendation`] reads, beside `now`.
pub(super) const COLUMNS: &str = "id, revision, state, origin, proposer, cluster, created_at, expires_at, content";

const DECISIONS: &str = "SELECT id, recommendation_id, verb, strategy, ticket_digest, reason, actor, stands_for, \
                         decided_at FROM decisions";

/// The recommendation as it stands at `now`: an open one whose time is over is expired.
pub(super) fn recommendation(row: &Row) -> Result<Recommendation, StoreError> {
    let stored = row.word("state", RecommendationState::from_name)?;
    let expires_at = row.time("expires_at")?;
    let over = stored == RecommendationState::Open && expires_at <= row.time("now")?;
    Ok(Recommendation {
        id: RecommendationId::new(row.text("id")?),
        revision: row.count("revision")?,
        state: if over { RecommendationState::Expired } else { stored },
        origin: row.json("origin")?,
        proposer: row.json("proposer")?,
        cluster: row.text("cluster")?,
        created_at: row.time("created_at")?,
        expires_at,
        content: row.json("content")?,
    })
}

/// The decisions that counted, oldest first.
pub(super) async fn decisions(on: &mut AnyConnection, id: &RecommendationId) -> Result<Vec<Decision>, StoreError> {
    let sql = format!("{DECISIONS} WHERE recommendation_id = $1 ORDER BY position");
    let rows = Sql::new("decision", sql).bind(id.as_str()).all(on).await?;
    rows.iter().map(decision).collect()
}

/// The same for several recommendations.
pub(super) async fn decisions_of_each(
    on: &mut AnyConnection,
    ids: &[RecommendationId],
) -> Result<HashMap<RecommendationId, Vec<Decision>>, StoreError> {
    let mut all: HashMap<_, Vec<_>> = HashMap::new();
    if ids.is_empty() {
        return Ok(all);
    }
    let mut sql = Sql::new("decision", format!("{DECISIONS} WHERE recommendation_id IN "));
    sql.list(ids.iter().map(RecommendationId::as_str)).push(" ORDER BY recommendation_id, position");
    for row in &sql.all(on).await? {
        let one = decision(row)?;
        all.entry(one.recommendation_id.clone()).or_default().push(one);
    }
    Ok(all)
}

/// Those tickets that there are, in no order.
pub(super) async fn tickets(on: &mut AnyConnection, digests: &[Digest]) -> Result<Vec<StoredTicket>, StoreError> {
    if digests.is_empty() {
        return Ok(Vec::new());
    }
    let text = "SELECT digest, canonical, recommendation_id, made_by, made_at FROM tickets WHERE digest IN ";
    let mut sql = Sql::new("ticket", text);
    sql.list(digests.iter().map(Digest::as_str));
    sql.all(on).await?.iter().map(ticket).collect()
}

fn ticket(row: &Row) -> Result<StoredTicket, StoreError> {
    Ok(StoredTicket {
        digest: digest(row, "digest")?,
        canonical: row.text("canonical")?,
        recommendation_id: RecommendationId::new(row.text("recommendation_id")?),
        made_by: row.json("made_by")?,
        made_at: row.time("made_at")?,
    })
}

fn decision(row: &Row) -> Result<Decision, StoreError> {
    Ok(Decision {
        id: DecisionId::new(row.text("id")?),
        recommendation_id: RecommendationId::new(row.text("recommendation_id")?),
        verb: row.word("verb", Verb::from_name)?,
        strategy: row.count("strategy")?,
        ticket_digest: match row.maybe_text("ticket_digest")? {
            Some(_) => Some(digest(row, "ticket_digest")?),
            None => None,
        },
        reason: row.maybe_text("reason")?,
        actor: row.json("actor")?,
        stands_for: row.json("stands_for")?,
        at: row.time("decided_at")?,
    })
}

/// The digest in this column.
pub(crate) fn digest(row: &Row, column: &str) -> Result<Digest, StoreError> {
    Digest::try_from(row.text(column)?).map_err(|e| row.corrupt(column, &e))
}
