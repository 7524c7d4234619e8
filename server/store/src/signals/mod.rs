//! Signals and incidents: reading them here, taking in what is told of alerts in [`take`].

mod link;
mod take;

pub(crate) use link::{link, tell};

use crate::{
    Store,
    page::{key, page_of, wanted},
    sql::{Row, Sql},
    words::{contains_all, words},
};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    identity::Actor,
    ids::{IncidentId, RecommendationId, SignalId},
    incident::{IncidentRecord, IncidentState},
    paging::{Page, PageOf},
    ports::{IncidentFilter, NewWord, SignalStore, StoreError, Taken},
    recommendation::Severity,
    signal::{Signal, SignalSource},
};

const LIST: &str = "incidents newest first";

/// What [`incident`] reads.
const INCIDENT: &str = "i.id, i.state, i.cluster, i.source, i.severity, i.about, i.started_at, i.opened_at, \
                        i.resolved_at, i.signals, i.firing, i.earlier_id, i.closed";

const SIGNAL: &str =
    "SELECT id, source, fingerprint, starts_at, seen_at, resolved_at, closed, told, facts FROM signals";

#[async_trait]
impl SignalStore for Store {
    async fn take(&self, cluster: &str, words: Vec<NewWord>) -> Result<Taken, StoreError> {
        take::take(self, cluster, words).await
    }

    async fn close_incident(
        &self,
        id: &IncidentId,
        by: &Actor,
        reason: &str,
        audit: AuditEntry,
    ) -> Result<bool, StoreError> {
        take::close(self, id, by, reason, audit).await
    }

    async fn end_quiet(&self, source: SignalSource, quiet_ms: i64) -> Result<u32, StoreError> {
        take::end_quiet(self, source, quiet_ms).await
    }

    async fn incidents(&self, filter: &IncidentFilter, page: &Page) -> Result<PageOf<IncidentRecord>, StoreError> {
        let mut sql = Sql::new("incident", format!("SELECT {INCIDENT} FROM incidents i WHERE 1 = 1"));
        if let Some(state) = filter.state {
            sql.push(" AND i.state = ").value(state.name());
        }
        if filter.unanswered {
            sql.push(" AND ").push(&unanswered(self.dialect().now()));
        }
        for (column, wanted) in [("signal_type", &filter.signal_type), ("severity", &filter.severity)] {
            if let Some(wanted) = wanted {
                sql.push(" AND i.").push(column).push(" = ").value(wanted);
            }
        }
        if let Some(q) = &filter.q {
            contains_all(&mut sql, "i.search", &words(q));
        }
        if let Some((at, id)) = key::<(i64, String)>(LIST, page)? {
            sql.push(" AND (i.opened_at, i.id) < ").tuple([at.into(), id.into()]);
        }
        sql.push(" ORDER BY i.opened_at DESC, i.id DESC LIMIT ").value(wanted(page));
        let rows = sql.all(&mut *self.read().await?).await?;
        let found = rows.iter().map(incident).collect::<Result<_, _>>()?;
        page_of(LIST, page, found, |incident: &IncidentRecord| {
            (incident.opened_at.as_millis(), incident.id.to_string())
        })
    }

    async fn incident(&self, id: &IncidentId) -> Result<Option<IncidentRecord>, StoreError> {
        let sql = Sql::new("incident", format!("SELECT {INCIDENT} FROM incidents i WHERE i.id = $1"));
        let row = sql.bind(id.as_str()).maybe(&mut *self.read().await?).await?;
        row.as_ref().map(incident).transpose()
    }

    async fn unanswered_count(&self) -> Result<i64, StoreError> {
        let sql = format!("SELECT COUNT(*) AS many FROM incidents i WHERE {}", unanswered(self.dialect().now()));
        Sql::new("incident", sql).one(&mut *self.read().await?).await?.int("many")
    }

    async fn signals(&self, of: &IncidentId, limit: u32) -> Result<Vec<Signal>, StoreError> {
        let sql = format!(
            "{SIGNAL} WHERE incident_id = $1 \
             ORDER BY CASE WHEN resolved_at IS NULL THEN 0 ELSE 1 END, resolved_at DESC, starts_at DESC, id DESC LIMIT $2"
        );
        let rows = Sql::new("signal", sql).bind(of.as_str()).bind(limit).all(&mut *self.read().await?).await?;
        rows.iter().map(signal).collect()
    }

    async fn newest(&self, cluster: &str, fingerprint: &str) -> Result<Option<Signal>, StoreError> {
        let sql = format!(
            "{SIGNAL} WHERE cluster = $1 AND fingerprint = $2 \
             ORDER BY CASE WHEN resolved_at IS NULL THEN 0 ELSE 1 END, told_at DESC, id DESC LIMIT 1"
        );
        let sql = Sql::new("signal", sql).bind(cluster).bind(fingerprint);
        sql.maybe(&mut *self.read().await?).await?.as_ref().map(signal).transpose()
    }

    async fn recommended(&self, of: &IncidentId, limit: u32) -> Result<Vec<RecommendationId>, StoreError> {
        let sql = "SELECT id FROM recommendations WHERE incident = $1 ORDER BY created_at DESC, id DESC LIMIT $2";
        let rows = Sql::new("recommendation", sql).bind(of.as_str()).bind(limit).all(&mut *self.read().await?).await?;
        rows.iter().map(|row| Ok(RecommendationId::new(row.text("id")?))).collect()
    }

    async fn incident_of(&self, recommendation: &RecommendationId) -> Result<Option<IncidentId>, StoreError> {
        // Joined: the incident may have been let go before its recommendation.
        let sql = "SELECT i.id FROM recommendations r JOIN incidents i ON i.id = r.incident WHERE r.id = $1";
        let row = Sql::new("incident", sql).bind(recommendation.as_str()).maybe(&mut *self.read().await?).await?;
        row.map(|row| Ok(IncidentId::new(row.text("id")?))).transpose()
    }
}

/// The condition that an incident fires and nobody has recommended anything for it that is decided or can be; `now` is the expression
/// of the database's clock.
pub(crate) fn unanswered(now: &str) -> String {
    format!(
        "i.state = 'firing' AND NOT EXISTS (SELECT 1 FROM recommendations r WHERE r.incident = i.id \
         AND (r.state = 'decided' OR (r.state = 'open' AND r.expires_at > {now})))"
    )
}

fn incident(row: &Row) -> Result<IncidentRecord, StoreError> {
    Ok(IncidentRecord {
        id: IncidentId::new(row.text("id")?),
        state: row.word("state", IncidentState::from_name)?,
        cluster: row.text("cluster")?,
        source: row.word("source", SignalSource::from_name)?,
        severity: row.word("severity", Severity::from_name)?,
        about: row.json("about")?,
        started_at: row.time("started_at")?,
        opened_at: row.time("opened_at")?,
        resolved_at: row.maybe_time("resolved_at")?,
        signal_count: row.count("signals")?,
        firing_count: row.count("firing")?,
        earlier: row.maybe_text("earlier_id")?.map(IncidentId::new),
        closed: row.maybe_json("closed")?,
    })
}

fn signal(row: &Row) -> Result<Signal, StoreError> {
    Ok(Signal {
        id: SignalId::new(row.text("id")?),
        source: row.word("source", SignalSource::from_name)?,
        fingerprint: row.text("fingerprint")?,
        starts_at: row.time("starts_at")?,
        seen_at: row.time("seen_at")?,
        resolved_at: row.maybe_time("resolved_at")?,
        closed: row.flag("closed")?,
        count: row.count("told")?,
        facts: row.json("facts")?,
    })
}
