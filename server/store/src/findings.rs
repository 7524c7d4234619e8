//! Findings: one card for what is the same, its triage, and what was made of it.

use crate::{
    Store,
    page::{key, page_of, wanted},
    recommendations::take_in,
    sql::{Row, Sql, json},
    words::{contains_all, searchable, words},
    write::{Lock, Write},
};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    event::Topic,
    finding::{Card, FindingState, Noticed, Source},
    ids::{FindingId, RecommendationId},
    paging::{Page, PageOf},
    ports::{FindingFilter, FindingStore, NewRecommendation, StoreError, Triage},
    recommendation::Recommendation,
    time::Timestamp,
};
use serde_json::json as object;
use sqlx::AnyConnection;

const LIST: &str = "findings gravest first";

/// What [`card`] reads.
const COLUMNS: &str = "c.id, c.state, c.rank, c.seen, c.first_seen, c.last_seen, c.revision, c.turned_into, c.triaged_by, \
                       c.triaged_at, c.reason, c.content";

/// Sources that a card tells.
const SOURCES: i64 = 50;

#[async_trait]
impl FindingStore for Store {
    async fn findings(&self, filter: &FindingFilter, page: &Page) -> Result<PageOf<Card>, StoreError> {
        let mut sql = Sql::new("finding", format!("SELECT {COLUMNS} FROM finding_cards c WHERE 1 = 1"));
        if !filter.states.is_empty() {
            sql.push(" AND c.state IN ").list(filter.states.iter().map(|state| state.name()));
        }
        if let Some(severity) = filter.severity {
            sql.push(" AND c.severity = ").value(severity.name());
        }
        if let Some(kind) = &filter.kind {
            sql.push(" AND c.kind = ").value(kind);
        }
        if let Some(id) = &filter.recommendation_id {
            sql.push(" AND EXISTS (SELECT 1 FROM finding_sources s WHERE s.card_id = c.id AND s.recommendation_id = ");
            sql.value(id).push(")");
        }
        if let Some(q) = &filter.q {
            contains_all(&mut sql, "c.search", &words(q));
        }
        if let Some((rank, at, id)) = key::<(u32, i64, String)>(LIST, page)? {
            sql.push(" AND (c.rank, c.last_seen, c.id) < ").tuple([rank.into(), at.into(), id.into()]);
        }
        sql.push(" ORDER BY c.rank DESC, c.last_seen DESC, c.id DESC LIMIT ").value(wanted(page));
        let rows = sql.all(&mut *self.read().await?).await?;
        let found = rows.iter().map(card).collect::<Result<Vec<_>, _>>()?;
        page_of(LIST, page, found, |card: &Card| (card.noticed.rank(), card.last_seen.as_millis(), card.id.to_string()))
    }

    async fn finding(&self, id: &FindingId) -> Result<Option<Card>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let sql = format!("SELECT {COLUMNS} FROM finding_cards c WHERE c.id = $1");
        let row = Sql::new("finding", sql).bind(id.as_str()).maybe(&mut snapshot).await?;
        let Some(row) = row else { return Ok(None) };
        let mut found = card(&row)?;
        found.sources = sources(&mut snapshot, id).await?;
        Ok(Some(found))
    }

    async fn card_of(&self, noticed: &Noticed) -> Result<Option<Card>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM finding_cards c WHERE c.identity = $1");
        let row = Sql::new("finding", sql).bind(noticed.identity()).maybe(&mut *self.read().await?).await?;
        row.as_ref().map(card).transpose()
    }

    async fn open_findings(&self) -> Result<i64, StoreError> {
        let sql = "SELECT COUNT(*) AS open FROM finding_cards WHERE state = 'open'";
        Sql::new("finding", sql).one(&mut *self.read().await?).await?.int("open")
    }

    async fn open_finding(&self, fresh: FindingId, noticed: &Noticed) -> Result<FindingId, StoreError> {
        let mut write = self.write().await?;
        let now = write.now().await?;
        let id = note(&mut write, &fresh, noticed, now, None).await?;
        write.commit().await?;
        Ok(id)
    }

    async fn triage(&self, triage: Triage, audit: AuditEntry) -> Result<Option<Card>, StoreError> {
        let mut write = self.write().await?;
        let now = write.now().await?;
        let sql = Sql::new(
            "finding",
            "UPDATE finding_cards SET state = $1, reason = $2, triaged_by = $3, triaged_at = $4, revision = revision + 1 \
             WHERE id = $5",
        );
        let set = sql
            .bind(triage.state.name())
            .bind(triage.reason.as_deref())
            .bind(json(&triage.by)?)
            .bind(now)
            .bind(triage.id.as_str())
            .run(write.on())
            .await?;
        if set == 0 {
            return Ok(None);
        }
        write.event(Topic::Finding, triage.id.as_str(), object!({ "state": triage.state.name() }));
        write.audit(audit);
        write.commit().await?;
        self.finding(&triage.id).await
    }

    async fn turn(
        &self,
        id: &FindingId,
        new: NewRecommendation,
        audit: AuditEntry,
    ) -> Result<Option<Recommendation>, StoreError> {
        let mut write = self.write().await?;
        write.lock(Lock::Intake).await?;
        let now = write.now().await?;
        let state = FindingState::Acknowledged;
        let sql = Sql::new(
            "finding",
            "UPDATE finding_cards SET turned_into = $1, state = $2, reason = NULL, triaged_by = $3, triaged_at = $4, \
             revision = revision + 1 WHERE id = $5",
        );
        let set = sql
            .bind(new.id.as_str())
            .bind(state.name())
            .bind(json(&new.proposer)?)
            .bind(now)
            .bind(id.as_str())
            .run(write.on())
            .await?;
        if set == 0 {
            return Ok(None);
        }
        let stored = take_in(&mut write, new, now, audit).await?;
        write.event(Topic::Finding, id.as_str(), object!({ "state": state.name(), "turned_into": stored.id }));
        write.commit().await?;
        Ok(Some(stored))
    }

    async fn noticed_with(&self, recommendation: &RecommendationId) -> Result<Vec<Card>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM finding_cards c JOIN finding_sources s ON s.card_id = c.id \
             WHERE s.recommendation_id = $1 ORDER BY c.rank DESC, c.last_seen DESC, c.id DESC"
        );
        let rows = Sql::new("finding", sql).bind(recommendation.as_str()).all(&mut *self.read().await?).await?;
        rows.iter().map(card).collect()
    }
}

/// Notes what was noticed: on the card of its identity, or on a fresh one. What was resolved is open again, what was dismissed stays
/// so. The id of the card.
pub(crate) async fn note(
    write: &mut Write,
    fresh: &FindingId,
    noticed: &Noticed,
    at: Timestamp,
    with: Option<&RecommendationId>,
) -> Result<FindingId, StoreError> {
    let mut sql = Sql::new(
        "finding",
        "INSERT INTO finding_cards (id, identity, state, kind, severity, rank, seen, first_seen, last_seen, revision, search, \
         content) VALUES ",
    );
    sql.tuple([
        fresh.as_str().into(),
        noticed.identity().into(),
        FindingState::Open.name().into(),
        noticed.kind.as_str().into(),
        noticed.severity.map(domain::recommendation::Severity::name).into(),
        noticed.rank().into(),
        1_u32.into(),
        at.into(),
        at.into(),
        1_u32.into(),
        search_text(noticed).into(),
        json(noticed)?.into(),
    ]);
    sql.push(
        " ON CONFLICT (identity) DO UPDATE SET seen = finding_cards.seen + 1, revision = finding_cards.revision + 1, \
         state = CASE WHEN finding_cards.state = 'resolved' THEN 'open' ELSE finding_cards.state END, \
         first_seen = CASE WHEN excluded.first_seen < finding_cards.first_seen THEN excluded.first_seen \
         ELSE finding_cards.first_seen END, \
         last_seen = CASE WHEN excluded.last_seen > finding_cards.last_seen THEN excluded.last_seen \
         ELSE finding_cards.last_seen END, \
         severity = excluded.severity, rank = excluded.rank, search = excluded.search, content = excluded.content \
         RETURNING id, state, seen",
    );
    let row = sql.one(write.on()).await?;
    let id = FindingId::new(row.text("id")?);
    if let Some(recommendation) = with {
        let mut sql =
            Sql::new("finding", "INSERT INTO finding_sources (card_id, recommendation_id, noticed_at) VALUES ");
        sql.tuple([id.as_str().into(), recommendation.as_str().into(), at.into()]);
        sql.push(" ON CONFLICT DO NOTHING");
        sql.run(write.on()).await?;
    }
    let (state, seen) = (row.text("state")?, row.int("seen")?);
    write.event(Topic::Finding, id.as_str(), object!({ "state": state, "seen": seen, "recommendation": with }));
    Ok(id)
}

async fn sources(on: &mut AnyConnection, id: &FindingId) -> Result<Vec<Source>, StoreError> {
    let sql = "SELECT r.id, r.incident_id, s.noticed_at FROM finding_sources s \
               JOIN recommendations r ON r.id = s.recommendation_id WHERE s.card_id = $1 \
               ORDER BY s.noticed_at DESC, r.id DESC LIMIT $2";
    let rows = Sql::new("finding", sql).bind(id.as_str()).bind(SOURCES).all(on).await?;
    let source = |row: &Row| {
        Ok(Source {
            recommendation_id: RecommendationId::new(row.text("id")?),
            incident_id: row.text("incident_id")?,
            at: row.time("noticed_at")?,
        })
    };
    rows.iter().map(source).collect()
}

fn card(row: &Row) -> Result<Card, StoreError> {
    Ok(Card {
        id: FindingId::new(row.text("id")?),
        state: row.word("state", FindingState::from_name)?,
        noticed: row.json("content")?,
        seen: row.count("seen")?,
        first_seen: row.time("first_seen")?,
        last_seen: row.time("last_seen")?,
        revision: row.count("revision")?,
        turned_into: row.maybe_text("turned_into")?.map(RecommendationId::new),
        triaged_by: row.maybe_json("triaged_by")?,
        triaged_at: row.maybe_time("triaged_at")?,
        reason: row.maybe_text("reason")?,
        sources: Vec::new(),
    })
}

fn search_text(noticed: &Noticed) -> String {
    let mut words = vec![noticed.title.as_str(), &noticed.description];
    words.extend(noticed.evidence.iter().map(String::as_str));
    words.extend(noticed.suggested_workflow_id.as_deref());
    if let Some(resource) = &noticed.resource {
        words.extend([resource.kind.as_str(), resource.namespace.as_deref().unwrap_or_default(), &resource.name]);
    }
    searchable(words)
}
