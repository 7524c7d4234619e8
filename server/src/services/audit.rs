//! The audit trail: reading it, what the objects in it are called, looking whether it is still what was written, and the legal
//! hold.

use super::{Services, limits, reason, store_fault};
use async_trait::async_trait;
use domain::{
    audit::{AuditEntry, AuditFilter, AuditRecord, Chained, Head, Known, Mac, Verdict},
    fault::{Fault, code},
    identity::{Caller, Right},
    ids::{ExecutionId, RecommendationId},
    paging::{Page, PageOf},
    services::{Answer, AuditService, BrokenLink, ServiceError, TrailCheck, TrailView},
};
use serde_json::json;
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Whoever asks for a check waits so long for what comes of it.
const CHECKED_WITHIN: Duration = Duration::from_secs(2);

/// What this console knows of the trail's chain.
#[derive(Debug, Default)]
pub(super) struct Checks {
    last: Mutex<Option<TrailCheck>>,
    /// Up to where the trail was found unbroken last. It must still have that row, whatever the database says.
    known: Mutex<Option<Known>>,
    /// One looks at a time: it takes a core for as long as there are rows.
    at_work: tokio::sync::Mutex<()>,
}

impl Checks {
    fn last(&self) -> Option<TrailCheck> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn known(&self) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl AuditService for Services {
    async fn list(&self, caller: &Caller, filter: &AuditFilter, page: &Page) -> Answer<PageOf<AuditRecord>> {
        caller.require(Right::AuditRead)?;
        short(filter)?;
        self.world.audit.list(filter, page).await.map_err(store_fault)
    }

    async fn titles(&self, caller: &Caller, rows: &[AuditRecord]) -> Answer<HashMap<(String, String), String>> {
        caller.require(Right::AuditRead)?;
        let of = |kind: &str| {
            let ids = rows.iter().filter(|row| row.object_kind == kind).map(|row| row.object_id.clone());
            ids.collect::<BTreeSet<_>>()
        };
        let mut titles = HashMap::new();
        let ids: Vec<_> = of("recommendation").into_iter().map(RecommendationId::new).collect();
        for found in self.world.recommendations.these(&ids).await.map_err(store_fault)? {
            titles.insert(("recommendation".to_owned(), found.id.to_string()), found.headline().to_owned());
        }
        let ids: Vec<_> = of("execution").into_iter().map(ExecutionId::new).collect();
        for found in self.world.executions.these(&ids).await.map_err(store_fault)? {
            titles.insert(("execution".to_owned(), found.subject.id.to_string()), found.subject.title);
        }
        Ok(titles)
    }

    async fn chained(&self, caller: &Caller, filter: &AuditFilter, sequence: i64, limit: u32) -> Answer<Vec<Chained>> {
        caller.require(Right::AuditRead)?;
        short(filter)?;
        self.world.audit.chained(filter, sequence, limit).await.map_err(store_fault)
    }

    async fn end(&self, caller: &Caller) -> Answer<(Head, Option<Mac>)> {
        caller.require(Right::AuditRead)?;
        self.world.audit.head().await.map_err(store_fault)
    }

    async fn note_export(&self, caller: &Caller, filter: &AuditFilter, format: &str) -> Answer<()> {
        caller.require(Right::AuditRead)?;
        short(filter)?;
        let mut audit = AuditEntry::by(caller, "audit.export", "audit", "trail");
        let mut given = json!(filter);
        if let Some(members) = given.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        audit.after = Some(json!({ "format": format, "filter": given }));
        self.world.audit.append(audit).await.map_err(store_fault)
    }

    async fn trail(&self, caller: &Caller) -> Answer<TrailView> {
        caller.require(Right::AuditRead)?;
        let (head, _) = self.world.audit.head().await.map_err(store_fault)?;
        let hold = self.world.audit.hold().await.map_err(store_fault)?;
        Ok(TrailView {
            rows: head.rows(),
            first: head.first,
            last: head.sequence,
            mac: head.mac,
            key: head.key,
            checked: self.checks.last(),
            checking: self.checks.at_work.try_lock().is_err(),
            hold,
        })
    }

    async fn check(&self, caller: &Caller) -> Answer<()> {
        caller.require(Right::AuditRead)?;
        if self.checks.at_work.try_lock().is_err() {
            return Ok(());
        }
        let services = self.clone();
        // It goes on when whoever asked has left.
        let looking = tokio::spawn(async move { services.look_at_trail().await });
        match tokio::time::timeout(CHECKED_WITHIN, looking).await {
            Ok(Ok(looked)) => looked.map(drop),
            Ok(Err(error)) => Err(ServiceError::Internal(error.to_string())),
            Err(_) => Ok(()),
        }
    }

    async fn set_hold(&self, caller: &Caller, reason: Option<String>) -> Answer<()> {
        let audit = held("audit.hold", caller, reason)?;
        if self.world.audit.set_hold(audit).await.map_err(store_fault)? {
            return Ok(());
        }
        let detail = "a hold stands already: release it first, if its reason is another".into();
        Err(ServiceError::Conflict { code: "hold_stands", detail, differences: Vec::new() })
    }

    async fn release_hold(&self, caller: &Caller, reason: Option<String>) -> Answer<()> {
        let audit = held("audit.release", caller, reason)?;
        if self.world.audit.release_hold(audit).await.map_err(store_fault)? {
            return Ok(());
        }
        let detail = "no hold stands any more".into();
        Err(ServiceError::Conflict { code: "no_hold", detail, differences: Vec::new() })
    }
}

impl Services {
    /// Looks at every row and remembers what came of it; of several at once each waits for its turn.
    pub async fn look_at_trail(&self) -> Answer<TrailCheck> {
        let _turn = self.checks.at_work.lock().await;
        let verdict = self.every_row().await?;
        self.judged(verdict).await
    }

    /// Looks at the rows that came since the last look; at every row where there was none, and where something is broken.
    pub async fn look_at_new_rows(&self) -> Answer<TrailCheck> {
        let _turn = self.checks.at_work.lock().await;
        let unbroken = self.checks.last().is_some_and(|check| check.broken.is_none());
        let verdict = match self.checks.known().filter(|_| unbroken) {
            Some(known) => self.world.audit.verify_after(&known).await.map_err(store_fault)?,
            None => self.every_row().await?,
        };
        let verdict = if matches!(verdict, Verdict::Broken(_)) { self.every_row().await? } else { verdict };
        self.judged(verdict).await
    }

    async fn every_row(&self) -> Answer<Verdict> {
        let noted = match self.checks.known() {
            // One that was let go of since is vouched for by what came after it.
            Some(known) => {
                let (head, _) = self.world.audit.head().await.map_err(store_fault)?;
                (known.sequence >= head.first).then_some((known.sequence, known.mac))
            }
            None => None,
        };
        self.world.audit.verify(noted).await.map_err(store_fault)
    }

    async fn judged(&self, verdict: Verdict) -> Answer<TrailCheck> {
        let at = self.world.clock.now();
        let check = match verdict {
            Verdict::Unbroken(whole) => {
                let (last, mac) = (whole.between.map_or(0, |(_, last)| last), whole.mac);
                // Whoever keeps the log elsewhere can tell later whether the trail was set back.
                tracing::info!(rows = whole.rows, noted = %format!("{last}:{mac}"), "the audit trail is unbroken");
                *self.checks.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(whole.until);
                TrailCheck { at, rows: whole.rows, broken: None }
            }
            Verdict::Genuine { rows } => TrailCheck { at, rows, broken: None },
            Verdict::Broken(broken) => {
                tracing::error!(row = broken.sequence, what = broken.name(), "the audit trail is broken: {broken}");
                let (head, _) = self.world.audit.head().await.map_err(store_fault)?;
                let link =
                    BrokenLink { sequence: broken.sequence, what: broken.name().into(), detail: broken.to_string() };
                TrailCheck { at, rows: head.rows().unsigned_abs(), broken: Some(link) }
            }
        };
        metrics::gauge!("kubernaut_audit_trail_broken").set(f64::from(u8::from(check.broken.is_some())));
        *self.checks.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(check.clone());
        Ok(check)
    }
}

/// What setting or releasing the hold leaves in the trail; nobody does it without a reason.
fn held(action: &str, caller: &Caller, reason: Option<String>) -> Answer<AuditEntry> {
    caller.require(Right::AuditHold)?;
    let Some(reason) = reason::checked(reason)? else {
        return Err(ServiceError::Invalid(vec![Fault::new("/reason", code::REQUIRED, "say why")]));
    };
    Ok(AuditEntry { reason: Some(reason), ..AuditEntry::by(caller, action, "audit", "trail") })
}

fn short(filter: &AuditFilter) -> Answer<()> {
    limits::short([("actor", &filter.actor), ("action", &filter.action), ("object", &filter.object), ("q", &filter.q)])
}
