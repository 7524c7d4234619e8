//! Reading the audit trail, and what the objects in it are called.

use super::{Services, limits, store_fault};
use async_trait::async_trait;
use domain::{
    audit::{AuditFilter, AuditRecord},
    identity::{Caller, Right},
    ids::{ExecutionId, RecommendationId},
    paging::{Page, PageOf},
    services::{Answer, AuditService},
};
use std::collections::{BTreeSet, HashMap};

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

    async fn after(
        &self,
        caller: &Caller,
        filter: &AuditFilter,
        sequence: i64,
        limit: u32,
    ) -> Answer<Vec<AuditRecord>> {
        caller.require(Right::AuditRead)?;
        short(filter)?;
        self.world.audit.after(filter, sequence, limit).await.map_err(store_fault)
    }
}

fn short(filter: &AuditFilter) -> Answer<()> {
    limits::short([("actor", &filter.actor), ("action", &filter.action), ("object", &filter.object), ("q", &filter.q)])
}
