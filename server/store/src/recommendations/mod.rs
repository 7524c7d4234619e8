//! Recommendations, their tickets and decisions. Intake, lists and expiry here; deciding in [`decide`].

mod decide;
mod expiring;
mod import;
mod judged;
mod rows;
mod standing;

pub(crate) use expiring::note_expiring;
pub(crate) use rows::digest;

use self::rows::{COLUMNS, recommendation};
use crate::{
    Store, executions,
    find::{Indexed, find},
    findings, outbox,
    page::{key, page_of, wanted},
    policies, signals,
    sql::{Sql, json},
    words::{searchable, words},
    write::{Lock, Write},
};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    decision::{Decision, Verb},
    event::Topic,
    finding::Noticed,
    ids::{Digest, RecommendationId},
    notification::{Notice, Occasion},
    paging::{Page, PageOf},
    ports::{
        DecideError, Decided, DecidedRecommendation, Judged, NewDecision, NewRecommendation, RecommendationFilter,
        RecommendationStore, StoreError, StoredTicket,
    },
    recommendation::{
        Content, Finding, Origin, Proposal, Recommendation, RecommendationState as State, Strategy, target::Target,
    },
    recovery::Way,
    time::Timestamp,
};
use serde_json::json as object;
use std::collections::{HashMap, HashSet};

/// How many are swept at a time: a transaction stays short.
const SWEPT_AT_ONCE: i64 = 500;

#[async_trait]
impl RecommendationStore for Store {
    async fn insert(&self, new: NewRecommendation, audit: AuditEntry) -> Result<Recommendation, StoreError> {
        let mut write = self.write().await?;
        write.lock(Lock::Intake).await?;
        let now = write.now().await?;
        let stored = take_in(&mut write, new, now).await?;
        write.audit(audit);
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

/// Writes a recommendation as open, under the lock of the intake, with its events. One that is made of a run stands beside others
/// of its incident.
pub(crate) async fn take_in(
    write: &mut Write,
    new: NewRecommendation,
    now: Timestamp,
) -> Result<Recommendation, StoreError> {
    let stored = Recommendation {
        id: new.id,
        revision: 1,
        state: State::Open,
        origin: new.origin,
        proposer: new.proposer,
        cluster: new.cluster,
        created_at: now,
        expires_at: now.plus_ms(new.open_for_ms),
        content: new.content,
    };
    if stored.origin.of_run().is_none() {
        close_older(write, &stored).await?;
    }
    let for_incident = signals::link(write, &stored.cluster, &stored.content.incident).await?;
    insert_row(write, &stored, for_incident.as_deref()).await?;
    for (position, strategy) in (0_u32..).zip(&stored.content.strategies) {
        insert_strategy(write, &stored.id, position, strategy).await?;
    }
    let incident = &stored.content.incident;
    write.event(
        Topic::Recommendation,
        stored.id.as_str(),
        object!({
            "state": State::Open.name(), "incident": incident.id, "severity": incident.severity.name(),
            "expires_at": stored.expires_at,
        }),
    );
    if let Some(incident) = &for_incident {
        signals::tell(write, incident, stored.id.as_str());
    }
    note_findings(write, &stored).await?;
    outbox::put(write, Occasion::New, &stored.id, &Notice::open(&stored), now).await?;
    Ok(stored)
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

/// Closes what was open for the same incident and cluster: expired where its time is over, else superseded.
async fn close_older(write: &mut Write, newer: &Recommendation) -> Result<(), StoreError> {
    let older = Sql::new(
        "recommendation",
        "SELECT id, expires_at FROM recommendations WHERE cluster = $1 AND incident_id = $2 AND state = 'open' \
         AND of_run IS NULL ORDER BY id",
    )
    .bind(&newer.cluster)
    .bind(&newer.content.incident.id)
    .all(write.on())
    .await?;
    for row in &older {
        let id = RecommendationId::new(row.text("id")?);
        let to = if row.time("expires_at")? <= newer.created_at { State::Expired } else { State::Superseded };
        if close(write, &id, to).await? {
            write.event(Topic::Recommendation, id.as_str(), object!({ "state": to.name(), "by": newer.id }));
        }
    }
    Ok(())
}

/// `for_incident` is the incident of the console that it came for.
async fn insert_row(write: &mut Write, new: &Recommendation, for_incident: Option<&str>) -> Result<(), StoreError> {
    let origin_uid = match &new.origin {
        Origin::Cluster { uid, .. } => Some(uid.as_str()),
        Origin::Model | Origin::Hand | Origin::Run { .. } => None,
    };
    let of = new.origin.of_run();
    let mut sql = Sql::new(
        "recommendation",
        "INSERT INTO recommendations (id, revision, state, cluster, origin, origin_uid, of_way, of_run, proposer, incident_id, \
         signal_type, severity, incident_at, created_at, expires_at, begin_by, search, content, fingerprint, incident) \
         VALUES ",
    );
    sql.tuple([
        new.id.as_str().into(),
        new.revision.into(),
        new.state.name().into(),
        new.cluster.as_str().into(),
        json(&new.origin)?.into(),
        origin_uid.into(),
        of.map(|(way, _)| way.name()).into(),
        of.map(|(_, run)| run.as_str()).into(),
        json(&new.proposer)?.into(),
        new.content.incident.id.as_str().into(),
        new.content.incident.signal_type.as_str().into(),
        new.content.incident.severity.name().into(),
        new.content.incident.started_at.into(),
        new.created_at.into(),
        new.expires_at.into(),
        new.begin_by().into(),
        search_text(&new.content).into(),
        json(&new.content)?.into(),
        new.content.incident.fingerprint.as_deref().into(),
        for_incident.into(),
    ]);
    sql.run(write.on()).await?;
    Ok(())
}

async fn insert_strategy(
    write: &mut Write,
    of: &RecommendationId,
    position: u32,
    strategy: &Strategy,
) -> Result<(), StoreError> {
    let (workflow_id, version) = match &strategy.proposal {
        Proposal::Playbook { workflow_id, version, .. } => {
            (Some(workflow_id.as_str()), version.as_ref().map(ToString::to_string))
        }
        Proposal::Steps { .. } => (None, None),
    };
    let mut sql = Sql::new(
        "strategy",
        "INSERT INTO strategies (recommendation_id, position, action_type, workflow_id, version, runnable) VALUES ",
    );
    sql.tuple([
        of.as_str().into(),
        position.into(),
        strategy.action_type.as_str().into(),
        workflow_id.into(),
        version.into(),
        strategy.runnable().into(),
    ]);
    sql.run(write.on()).await?;
    Ok(())
}

async fn insert_finding(write: &mut Write, of: &Recommendation, finding: &Finding) -> Result<(), StoreError> {
    let mut sql = Sql::new(
        "finding",
        "INSERT INTO findings (id, recommendation_id, severity, suggested_workflow_id, created_at, content) VALUES ",
    );
    sql.tuple([
        finding.id.as_str().into(),
        of.id.as_str().into(),
        finding.severity.map(domain::recommendation::Severity::name).into(),
        finding.suggested_workflow_id.as_deref().into(),
        of.created_at.into(),
        json(finding)?.into(),
    ]);
    sql.run(write.on()).await?;
    Ok(())
}

/// Notes what was noticed beside the point, each once whatever its words.
async fn note_findings(write: &mut Write, of: &Recommendation) -> Result<(), StoreError> {
    let mut noted = HashSet::new();
    for finding in &of.content.additional_findings {
        insert_finding(write, of, finding).await?;
        let noticed = Noticed::by_model(&of.cluster, finding);
        if noted.insert(noticed.identity()) {
            findings::note(write, &finding.id, &noticed, of.created_at, Some(&of.id)).await?;
        }
    }
    Ok(())
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

fn search_text(content: &Content) -> String {
    let incident = &content.incident;
    let mut words =
        vec![content.analysis_summary.as_str(), &content.root_cause_assessment, &incident.id, &incident.signal_type];
    let targets: Vec<Target> = content.strategies.iter().map(|one| Target::of_strategy(incident, one)).collect();
    for resource in incident.resource.iter().chain(targets.iter().filter_map(Target::acts_on)) {
        words.extend([resource.kind.as_str(), resource.namespace.as_deref().unwrap_or_default(), &resource.name]);
    }
    searchable(words)
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
