//! Recommendations, their tickets and decisions. Lists and expiry here; intake in [`take`], deciding in [`decide`].

mod decide;
mod expiring;
mod import;
mod judged;
mod rows;
mod standing;
mod take;

pub(crate) use expiring::note_expiring;
pub(crate) use rows::digest;
pub(crate) use take::take_in;

use self::rows::{COLUMNS, recommendation};
use crate::{
    Store,
    find::{Indexed, find},
    page::{key, page_of, wanted},
    policies,
    sql::{Sql, json},
    words::words,
    write::{Lock, Write},
};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    decision::{Decision, Verb},
    event::Topic,
    ids::{Digest, RecommendationId},
    paging::{Page, PageOf},
    ports::{
        DecideError, Decided, DecidedRecommendation, Judged, NewDecision, NewRecommendation, RecommendationFilter,
        RecommendationStore, StoreError, StoredTicket,
    },
    recommendation::{Recommendation, RecommendationState as State},
    recovery::Way,
    time::Timestamp,
};
use serde_json::json as object;
use std::collections::HashMap;

/// How many are swept at a time: a transaction stays short.
const SWEPT_AT_ONCE: i64 = 500;

#[async_trait]
impl RecommendationStore for Store {
    async fn insert(&self, new: NewRecommendation, audit: AuditEntry) -> Result<Recommendation, StoreError> {
        let mut write = self.write().await?;
        write.lock(Lock::Intake).await?;
        let now = write.now().await?;
        let stored = take_in(&mut write, new, now, audit).await?;
        write.commit().await?;
        Ok(stored)
    }

    async fn get(&self, id: &RecommendationId) -> Result<Option<Recommendation>, StoreError> {
        let now = self.dialect().now();
        let sql = format!("SELECT {COLUMNS}, {now} AS now FROM recommendations r WHERE id = $1");
        let row = Sql::new("recommendation", sql).bind(id.as_str()).maybe(&mut *self.read().await?).await?;
        row.as_ref().map(recommendation).transpose()
    }

    async fn list(&self, filter: &RecommendationFilter, page: &Page) -> Result<PageOf<Recommendation>, StoreError> {
        let now = self.dialect().now();
        let mut sql =
            Sql::new("recommendation", format!("SELECT {COLUMNS}, {now} AS now FROM recommendations r WHERE 1 = 1"));
        narrow(&mut sql, filter, now);
        let mut read = self.read().await?;
        if let Some(q) = &filter.q {
            find(&mut sql, &mut read, self.dialect(), Indexed::Recommendations, ("r.id", "r.search"), &words(q))
                .await?;
        }
        let by_urgency = filter.state == Some(State::Open);
        let list = if by_urgency { "recommendations by urgency" } else { "recommendations newest first" };
        let (column, way, after) = if by_urgency { ("r.begin_by", "", ">") } else { ("r.created_at", " DESC", "<") };
        if let Some((at, id)) = key::<(i64, String)>(list, page)? {
            sql.push(&format!(" AND ({column}, r.id) {after} ")).tuple([at.into(), id.into()]);
        }
        sql.push(&format!(" ORDER BY {column}{way}, r.id{way} LIMIT ")).value(wanted(page));
        let rows = sql.all(&mut read).await?;
        let found = rows.iter().map(recommendation).collect::<Result<_, _>>()?;
        page_of(list, page, found, |r: &Recommendation| {
            let at = if by_urgency { r.begin_by() } else { r.created_at };
            (at.as_millis(), r.id.to_string())
        })
    }

    async fn these(&self, ids: &[RecommendationId]) -> Result<Vec<Recommendation>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.dialect().now();
        let mut sql =
            Sql::new("recommendation", format!("SELECT {COLUMNS}, {now} AS now FROM recommendations r WHERE id IN "));
        sql.list(ids.iter().map(RecommendationId::as_str));
        sql.all(&mut *self.read().await?).await?.iter().map(recommendation).collect()
    }

    async fn open_count(&self) -> Result<i64, StoreError> {
        let now = self.dialect().now();
        let sql = format!("SELECT COUNT(*) AS open FROM recommendations WHERE state = 'open' AND expires_at > {now}");
        Sql::new("recommendation", sql).one(&mut *self.read().await?).await?.int("open")
    }

    async fn by_cluster_uid(&self, uid: &str) -> Result<Option<Recommendation>, StoreError> {
        let now = self.dialect().now();
        let sql = format!(
            "SELECT {COLUMNS}, {now} AS now FROM recommendations r WHERE origin_uid = $1 \
             ORDER BY created_at DESC, id DESC LIMIT 1"
        );
        let row = Sql::new("recommendation", sql).bind(uid).maybe(&mut *self.read().await?).await?;
        row.as_ref().map(recommendation).transpose()
    }

    async fn put_ticket(&self, ticket: StoredTicket, audit: AuditEntry) -> Result<bool, StoreError> {
        let mut write = self.write().await?;
        let locked = decide::lock(&mut write, self.dialect().clock(), &ticket.recommendation_id).await?;
        if locked.is_none_or(|(on, _)| on.state != State::Open) {
            return Ok(false);
        }
        if keep(&mut write, &ticket).await? {
            write.audit(audit);
            write.commit().await?;
        }
        Ok(true)
    }

    async fn ticket(&self, digest: &Digest) -> Result<Option<StoredTicket>, StoreError> {
        Ok(self.tickets(std::slice::from_ref(digest)).await?.pop())
    }

    async fn tickets(&self, digests: &[Digest]) -> Result<Vec<StoredTicket>, StoreError> {
        rows::tickets(&mut *self.read().await?, digests).await
    }

    async fn decisions(&self, id: &RecommendationId) -> Result<Vec<Decision>, StoreError> {
        rows::decisions(&mut *self.read().await?, id).await
    }

    async fn decisions_of_each(
        &self,
        ids: &[RecommendationId],
    ) -> Result<HashMap<RecommendationId, Vec<Decision>>, StoreError> {
        rows::decisions_of_each(&mut *self.read().await?, ids).await
    }

    async fn counting(&self, decisions: Vec<Decision>) -> Result<Vec<Decision>, StoreError> {
        if decisions.iter().all(|decision| decision.verb == Verb::Reject) {
            return Ok(decisions);
        }
        let mut snapshot = self.snapshot().await?;
        let in_force = policies::in_force(&mut snapshot).await?;
        standing::standing(self.today(), &mut snapshot, decisions, &in_force).await
    }

    async fn decide(&self, new: NewDecision) -> Result<Decided, DecideError> {
        decide::decide(self, new).await
    }

    async fn judged(
        &self,
        since: Timestamp,
        before: Option<(Timestamp, RecommendationId)>,
        many: u32,
    ) -> Result<Vec<Judged>, StoreError> {
        judged::judged(self, since, before, many).await
    }

    async fn import(&self, decided: &[DecidedRecommendation]) -> Result<(), StoreError> {
        import::import(self, decided).await
    }

    async fn expire_due(&self) -> Result<Vec<RecommendationId>, StoreError> {
        let now = self.dialect().now();
        let sql = format!(
            "SELECT id FROM recommendations WHERE state = 'open' AND expires_at <= {now} ORDER BY id LIMIT {SWEPT_AT_ONCE}"
        );
        // Looked for without a lock: most sweeps find nothing and need not write.
        let due = Sql::new("recommendation", sql).all(&mut *self.read().await?).await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let mut write = self.write().await?;
        let mut expired = Vec::new();
        for row in &due {
            let id = RecommendationId::new(row.text("id")?);
            if close(&mut write, &id, State::Expired).await? {
                write.event(Topic::Recommendation, id.as_str(), object!({ "state": State::Expired.name() }));
                expired.push(id);
            }
        }
        write.commit().await?;
        Ok(expired)
    }
}

/// Keeps a ticket; `false` when it was kept already.
async fn keep(write: &mut Write, ticket: &StoredTicket) -> Result<bool, StoreError> {
    let sql = "INSERT INTO tickets (digest, canonical, recommendation_id, made_by, made_at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (digest) DO NOTHING";
    let kept = Sql::new("ticket", sql)
        .bind(ticket.digest.as_str())
        .bind(&ticket.canonical)
        .bind(ticket.recommendation_id.as_str())
        .bind(json(&ticket.made_by)?)
        .bind(ticket.made_at)
        .run(write.on())
        .await?;
    Ok(kept == 1)
}

/// Moves an open recommendation on; `false` when it is no longer open.
pub(crate) async fn close(write: &mut Write, id: &RecommendationId, to: State) -> Result<bool, StoreError> {
    let sql = Sql::new("recommendation", "UPDATE recommendations SET state = $1 WHERE id = $2 AND state = 'open'");
    Ok(sql.bind(to.name()).bind(id.as_str()).run(write.on()).await? == 1)
}

/// What the filter asks for; `now` is the expression of the database's clock. One whose time is over is expired, swept or
/// not.
fn narrow(sql: &mut Sql, filter: &RecommendationFilter, now: &str) {
    match filter.state {
        None => {}
        Some(State::Open) => {
            // Not by the index of deadlines: they are listed in another order.
            sql.push(" AND r.state = 'open' AND r.expires_at + 0 > ").push(now);
        }
        Some(State::Expired) => {
            sql.push(" AND (r.state = 'expired' OR (r.state = 'open' AND r.expires_at <= ").push(now).push("))");
        }
        Some(state) => {
            sql.push(" AND r.state = ").value(state.name());
        }
    }
    let exact =
        [("incident_id", &filter.incident), ("signal_type", &filter.signal_type), ("severity", &filter.severity)];
    for (column, wanted) in exact {
        if let Some(wanted) = wanted {
            sql.push(" AND r.").push(column).push(" = ").value(wanted);
        }
    }
    if let Some(workflow_id) = &filter.workflow_id {
        sql.push(" AND EXISTS (SELECT 1 FROM strategies s WHERE s.recommendation_id = r.id AND s.workflow_id = ");
        sql.value(workflow_id).push(")");
    }
}

/// When an incident began, where the alert said so, and when it was recommended what to do.
#[derive(Clone, Copy)]
pub(crate) struct Came {
    /// When the incident began, as whoever recommended says.
    pub(crate) incident_at: Option<Timestamp>,
    /// When it began, and when the console was told of it, where it belongs to an incident of the console's own.
    pub(crate) noticed: Option<(Timestamp, Timestamp)>,
    pub(crate) at: Timestamp,
    /// Whether it undoes a run: that it ran says nothing of what its playbook is good for.
    pub(crate) undoes: bool,
}

/// Whether a recommendation, as `r`, undoes a run, in SQL.
pub(crate) const UNDOES: &str = "r.of_way = 'rollback'";

/// Whether this one does.
pub(crate) async fn undoes(on: &mut sqlx::AnyConnection, id: &RecommendationId) -> Result<bool, StoreError> {
    let sql = format!("SELECT r.id FROM recommendations r WHERE r.id = $1 AND {UNDOES}");
    Ok(Sql::new("recommendation", sql).bind(id.as_str()).maybe(on).await?.is_some())
}

/// When the recommendation came, if it is still kept.
pub(crate) async fn came(on: &mut sqlx::AnyConnection, id: &RecommendationId) -> Result<Option<Came>, StoreError> {
    let sql = "SELECT r.incident_at, r.created_at, r.of_way, i.started_at, i.opened_at \
               FROM recommendations r LEFT JOIN incidents i ON i.id = r.incident WHERE r.id = $1";
    let row = Sql::new("recommendation", sql).bind(id.as_str()).maybe(on).await?;
    row.map(|row| {
        let noticed = row.maybe_time("started_at")?.zip(row.maybe_time("opened_at")?);
        let undoes = row.maybe_text("of_way")?.is_some_and(|way| way == Way::Rollback.name());
        Ok(Came { incident_at: row.maybe_time("incident_at")?, noticed, at: row.time("created_at")?, undoes })
    })
    .transpose()
}
