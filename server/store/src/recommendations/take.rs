//! Taking a recommendation in: what is written, and what is closed by it.

use super::close;
use crate::{
    findings, outbox, signals,
    sql::{Sql, json},
    words::searchable,
    write::Write,
};
use domain::{
    audit::AuditEntry,
    event::Topic,
    finding::Noticed,
    ids::RecommendationId,
    notification::{Notice, Occasion},
    ports::{NewRecommendation, StoreError},
    recommendation::{
        Content, Finding, Origin, Proposal, Recommendation, RecommendationState as State, Strategy, target::Target,
    },
    time::Timestamp,
};
use serde_json::json as object;
use std::collections::HashSet;

/// Writes a recommendation as open, under the lock of the intake, with its events and the audit row, which names what it superseded. One
/// that is made of a run stands beside others of its incident.
pub(crate) async fn take_in(
    write: &mut Write,
    new: NewRecommendation,
    now: Timestamp,
    mut audit: AuditEntry,
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
        let superseded = close_older(write, &stored).await?;
        if !superseded.is_empty() {
            audit.before = Some(object!({ "superseded": superseded }));
        }
    }
    write.audit(audit);
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

/// Closes what was open for the same incident and cluster: expired where its time is over, else superseded; which were that.
async fn close_older(write: &mut Write, newer: &Recommendation) -> Result<Vec<RecommendationId>, StoreError> {
    let older = Sql::new(
        "recommendation",
        "SELECT id, expires_at FROM recommendations WHERE cluster = $1 AND incident_id = $2 AND state = 'open' \
         AND of_run IS NULL ORDER BY id",
    )
    .bind(&newer.cluster)
    .bind(&newer.content.incident.id)
    .all(write.on())
    .await?;
    let mut superseded = Vec::new();
    for row in &older {
        let id = RecommendationId::new(row.text("id")?);
        let to = if row.time("expires_at")? <= newer.created_at { State::Expired } else { State::Superseded };
        if close(write, &id, to).await? {
            write.event(Topic::Recommendation, id.as_str(), object!({ "state": to.name(), "by": newer.id }));
            if to == State::Superseded {
                superseded.push(id);
            }
        }
    }
    Ok(superseded)
}

/// `for_incident` is the incident of the console that it came for.
pub(super) async fn insert_row(
    write: &mut Write,
    new: &Recommendation,
    for_incident: Option<&str>,
) -> Result<(), StoreError> {
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

pub(super) async fn insert_strategy(
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
pub(super) async fn note_findings(write: &mut Write, of: &Recommendation) -> Result<(), StoreError> {
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
