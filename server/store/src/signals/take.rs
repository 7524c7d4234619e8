//! Taking in what is told of alerts. What a word means is the domain's to say; here it is looked up and kept, all of one message in one
//! transaction, and only one at a time: two Alertmanagers send the same at the same moment.

use super::link::claim;
use crate::{
    Store,
    sql::{Row, Sql, json},
    words::searchable,
    write::{Lock, Write},
};
use domain::{
    audit::AuditEntry,
    event::Topic,
    identity::Actor,
    ids::IncidentId,
    incident::{About, Closed, IncidentState as State},
    ports::{NewWord, StoreError, Taken},
    recommendation::Severity,
    signal::{Last, SignalSource, Step, Told, Word, ended_at, step},
    time::Timestamp,
};
use serde_json::json as object;

/// Signals that end by their silence at a time: a transaction stays short.
const QUIET_AT_ONCE: i64 = 500;

/// The newest signal of an alert.
struct Known {
    id: String,
    incident: String,
    round: i64,
    last: Last,
}

/// Takes words about alerts, all or none.
pub(super) async fn take(store: &Store, cluster: &str, words: Vec<NewWord>) -> Result<Taken, StoreError> {
    let mut write = store.write().await?;
    // Recommendations look for their incident, and incidents for theirs.
    write.lock(Lock::Intake).await?;
    let now = write.now().await?;
    let mut taken = Taken::default();
    let mut changed: Vec<String> = Vec::new();
    for word in words {
        let (incident, news) = one(&mut write, cluster, now, word, &mut taken).await?;
        if news && !changed.contains(&incident) {
            changed.push(incident.clone());
        }
        let incident = IncidentId::new(incident);
        if !taken.incidents.contains(&incident) {
            taken.incidents.push(incident);
        }
    }
    for incident in &changed {
        settle(&mut write, incident).await?;
    }
    write.commit().await?;
    Ok(taken)
}

/// Takes one; the incident that it belongs to, and whether anything is new there.
async fn one(
    write: &mut Write,
    cluster: &str,
    now: Timestamp,
    word: NewWord,
    taken: &mut Taken,
) -> Result<(String, bool), StoreError> {
    let known = newest(write, cluster, &word.told).await?;
    let step = step(known.as_ref().map(|known| &known.last), &word.told, now);
    match (step, known) {
        (Step::Late, Some(known)) => {
            taken.known += 1;
            Ok((known.incident, false))
        }
        (Step::Again, Some(known)) => {
            taken.known += 1;
            again(write, &known, &word.told, now).await?;
            Ok((known.incident, false))
        }
        (Step::Ends, Some(known)) => {
            taken.ended += 1;
            let at = match word.told.word {
                Word::Resolved { at } => ended_at(at, known.last.starts_at, now),
                Word::Firing { .. } => now,
            };
            end(write, &known.id, at, now).await?;
            Ok((known.incident, true))
        }
        (_, known) => Ok((begin(write, cluster, now, word, known, taken).await?, true)),
    }
}

async fn newest(write: &mut Write, cluster: &str, told: &Told) -> Result<Option<Known>, StoreError> {
    let row = Sql::new(
        "signal",
        "SELECT id, incident_id, round, starts_at, told_at, seen_at, resolved_at FROM signals \
         WHERE cluster = $1 AND source = $2 AND fingerprint = $3 ORDER BY round DESC LIMIT 1",
    )
    .bind(cluster)
    .bind(told.source.name())
    .bind(&told.fingerprint)
    .maybe(write.on())
    .await?;
    row.as_ref().map(known).transpose()
}

fn known(row: &Row) -> Result<Known, StoreError> {
    Ok(Known {
        id: row.text("id")?,
        incident: row.text("incident_id")?,
        round: row.int("round")?,
        last: Last {
            starts_at: row.time("starts_at")?,
            told_at: row.time("told_at")?,
            seen_at: row.time("seen_at")?,
            fires: row.maybe_time("resolved_at")?.is_none(),
        },
    })
}

/// When it was last known to fire: by its source's word, but not in the future, or now.
fn seen_at(told: &Told, now: Timestamp) -> Timestamp {
    match told.word {
        Word::Firing { seen_at: Some(at) } => at.min(now),
        Word::Firing { seen_at: None } => now,
        Word::Resolved { at } => ended_at(at, told.starts_at, now),
    }
}

async fn again(write: &mut Write, known: &Known, told: &Told, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE signals SET told = told + 1, told_at = $1, seen_at = $2, facts = $3 WHERE id = $4";
    let seen = if known.last.fires { seen_at(told, now) } else { known.last.seen_at };
    let facts = json(&told.facts)?;
    Sql::new("signal", sql).bind(now).bind(seen).bind(facts).bind(&known.id).run(write.on()).await?;
    Ok(())
}

async fn end(write: &mut Write, id: &str, at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE signals SET resolved_at = $1, told_at = $2 WHERE id = $3 AND resolved_at IS NULL";
    Sql::new("signal", sql).bind(at).bind(now).bind(id).run(write.on()).await?;
    Ok(())
}

/// Begins a signal: in the incident of the one that it takes the place of, else in that of its group, else in one of its own.
async fn begin(
    write: &mut Write,
    cluster: &str,
    now: Timestamp,
    word: NewWord,
    known: Option<Known>,
    taken: &mut Taken,
) -> Result<String, StoreError> {
    let NewWord { told, signal, incident } = word;
    taken.began += 1;
    let incident = match &known {
        Some(known) if known.last.fires => {
            taken.ended += 1;
            end(write, &known.id, ended_at(told.starts_at, known.last.starts_at, now), now).await?;
            known.incident.clone()
        }
        _ => {
            if let Some(there) = firing(write, cluster, &told).await? {
                there
            } else {
                open(write, cluster, now, &told, &incident, known.as_ref()).await?;
                incident.as_str().to_owned()
            }
        }
    };
    let resolved_at = match told.word {
        Word::Resolved { at } => {
            taken.ended += 1;
            Some(ended_at(at, told.starts_at, now))
        }
        Word::Firing { .. } => None,
    };
    let mut sql = Sql::new(
        "signal",
        "INSERT INTO signals (id, incident_id, cluster, source, fingerprint, round, starts_at, seen_at, told_at, \
         resolved_at, told, facts) VALUES ",
    );
    sql.tuple([
        signal.as_str().into(),
        incident.as_str().into(),
        cluster.into(),
        told.source.name().into(),
        told.fingerprint.as_str().into(),
        known.map_or(1, |known| known.round + 1).into(),
        told.starts_at.into(),
        seen_at(&told, now).into(),
        now.into(),
        resolved_at.into(),
        1_i64.into(),
        json(&told.facts)?.into(),
    ]);
    sql.run(write.on()).await?;
    worsen(write, &incident, told.facts.severity).await?;
    claim(write, cluster, &told.fingerprint, &incident).await?;
    Ok(incident)
}

/// The incident of this group that fires.
async fn firing(write: &mut Write, cluster: &str, told: &Told) -> Result<Option<String>, StoreError> {
    let sql = "SELECT id FROM incidents WHERE cluster = $1 AND source = $2 AND group_key = $3 AND state = 'firing'";
    let row =
        Sql::new("incident", sql).bind(cluster).bind(told.source.name()).bind(&told.group).maybe(write.on()).await?;
    row.map(|row| row.text("id")).transpose()
}

/// Opens an incident; whether it fires and how many signals it has is settled at the end.
async fn open(
    write: &mut Write,
    cluster: &str,
    now: Timestamp,
    told: &Told,
    id: &IncidentId,
    known: Option<&Known>,
) -> Result<(), StoreError> {
    let earlier = if let Some(known) = known {
        Some(known.incident.clone())
    } else {
        let sql = "SELECT id FROM incidents WHERE cluster = $1 AND source = $2 AND group_key = $3 \
                   ORDER BY opened_at DESC, id DESC LIMIT 1";
        let row = Sql::new("incident", sql)
            .bind(cluster)
            .bind(told.source.name())
            .bind(&told.group)
            .maybe(write.on())
            .await?;
        row.map(|row| row.text("id")).transpose()?
    };
    let about = About::of(&told.facts);
    let mut sql = Sql::new(
        "incident",
        "INSERT INTO incidents (id, cluster, source, group_key, state, signal_type, severity, earlier_id, opened_at, \
         started_at, resolved_at, signals, firing, search, about) VALUES ",
    );
    sql.tuple([
        id.as_str().into(),
        cluster.into(),
        told.source.name().into(),
        told.group.as_str().into(),
        State::Firing.name().into(),
        about.signal_type.as_str().into(),
        told.facts.severity.name().into(),
        earlier.into(),
        now.into(),
        told.starts_at.min(now).into(),
        None::<Timestamp>.into(),
        0_i64.into(),
        0_i64.into(),
        search_text(&about, &told.facts.name).into(),
        json(&about)?.into(),
    ]);
    sql.run(write.on()).await?;
    Ok(())
}

fn search_text(about: &About, name: &str) -> String {
    let mut words =
        vec![about.title.as_str(), &about.signal_type, name, about.environment.as_deref().unwrap_or_default()];
    if let Some(resource) = &about.resource {
        words.extend([resource.kind.as_str(), resource.namespace.as_deref().unwrap_or_default(), &resource.name]);
    }
    searchable(words)
}

/// An incident is as bad as the worst of its signals.
async fn worsen(write: &mut Write, incident: &str, to: Severity) -> Result<(), StoreError> {
    let row =
        Sql::new("incident", "SELECT severity FROM incidents WHERE id = $1").bind(incident).one(write.on()).await?;
    if row.word("severity", Severity::from_name)? < to {
        let sql = "UPDATE incidents SET severity = $1 WHERE id = $2";
        Sql::new("incident", sql).bind(to.name()).bind(incident).run(write.on()).await?;
    }
    Ok(())
}

/// Brings an incident in line with its signals, and tells who follows it.
async fn settle(write: &mut Write, incident: &str) -> Result<(), StoreError> {
    let sql = "SELECT COUNT(*) AS signals, COUNT(*) - COUNT(resolved_at) AS firing, MIN(starts_at) AS began, \
               MAX(resolved_at) AS ended FROM signals WHERE incident_id = $1";
    let row = Sql::new("signal", sql).bind(incident).one(write.on()).await?;
    let (signals, firing) = (row.int("signals")?, row.int("firing")?);
    let (began, ended) = (row.maybe_time("began")?, row.maybe_time("ended")?);
    let state = if firing == 0 { State::Resolved } else { State::Firing };
    let resolved_at = ended.filter(|_| state == State::Resolved);
    let opened = Sql::new("incident", "SELECT opened_at FROM incidents WHERE id = $1").bind(incident);
    let opened_at = opened.one(write.on()).await?.time("opened_at")?;
    let sql =
        "UPDATE incidents SET state = $1, signals = $2, firing = $3, started_at = $4, resolved_at = $5 WHERE id = $6";
    Sql::new("incident", sql)
        .bind(state.name())
        .bind(signals)
        .bind(firing)
        .bind(began.map_or(opened_at, |began| began.min(opened_at)))
        .bind(resolved_at)
        .bind(incident)
        .run(write.on())
        .await?;
    write.event(Topic::Incident, incident, object!({ "state": state.name(), "signals": signals, "firing": firing }));
    Ok(())
}

/// Ends signals of a source that were not told again for so long.
pub(super) async fn end_quiet(store: &Store, source: SignalSource, quiet_ms: i64) -> Result<u32, StoreError> {
    let before = store.now().await?.plus_ms(-quiet_ms);
    let sql = format!(
        "SELECT id, incident_id FROM signals WHERE source = $1 AND resolved_at IS NULL AND seen_at <= $2 \
         ORDER BY seen_at LIMIT {QUIET_AT_ONCE}"
    );
    // Looked for without a lock: mostly there is none.
    let quiet = Sql::new("signal", sql).bind(source.name()).bind(before).all(&mut *store.read().await?).await?;
    if quiet.is_empty() {
        return Ok(0);
    }
    let mut write = store.write().await?;
    write.lock(Lock::Intake).await?;
    let now = write.now().await?;
    let (mut ended, mut changed) = (0, Vec::new());
    for row in &quiet {
        let sql = "UPDATE signals SET resolved_at = $1, told_at = $2 \
                   WHERE id = $3 AND resolved_at IS NULL AND seen_at <= $4";
        let sql = Sql::new("signal", sql).bind(now).bind(now).bind(row.text("id")?).bind(before);
        let done = sql.run(write.on()).await?;
        let incident = row.text("incident_id")?;
        ended += u32::from(done == 1);
        if done == 1 && !changed.contains(&incident) {
            changed.push(incident);
        }
    }
    for incident in &changed {
        settle(&mut write, incident).await?;
    }
    write.commit().await?;
    Ok(ended)
}

/// Ends what fires of an incident because somebody says so.
pub(super) async fn close(
    store: &Store,
    id: &IncidentId,
    by: &Actor,
    reason: &str,
    audit: AuditEntry,
) -> Result<bool, StoreError> {
    let mut write = store.write().await?;
    write.lock(Lock::Intake).await?;
    let now = write.now().await?;
    let closed = Closed { by: by.clone(), reason: reason.to_owned(), at: now };
    let sql = "UPDATE incidents SET closed = $1 WHERE id = $2 AND state = 'firing'";
    let set = Sql::new("incident", sql).bind(json(&closed)?).bind(id.as_str()).run(write.on()).await?;
    if set == 0 {
        return Ok(false);
    }
    let sql =
        "UPDATE signals SET resolved_at = $1, told_at = $2, closed = 1 WHERE incident_id = $3 AND resolved_at IS NULL";
    Sql::new("signal", sql).bind(now).bind(now).bind(id.as_str()).run(write.on()).await?;
    settle(&mut write, id.as_str()).await?;
    write.audit(audit);
    write.commit().await?;
    Ok(true)
}
