//! What models are served beyond what everybody is: a search that goes from the signal to the words, a strategy that is only tried, and,
//! where the console is set so, what was measured.

use super::Services;
use domain::{
    effectiveness::{EffectivenessFilter, EffectivenessRow, GroupBy},
    fault::Fault,
    identity::{Caller, Right},
    paging::Page,
    playbook::{PlaybookId, Version},
    ports::CatalogFilter,
    recommendation::{Proposal, Strategy, intake},
    search::stages,
    services::{Answer, CatalogItem, CatalogService, ServiceError},
};
use serde_json::Value;

/// What was measured of a playbook.
pub struct MeasuredRecord {
    /// Over all its versions; none without runs.
    pub all: Option<EffectivenessRow>,
    /// By version.
    pub versions: Vec<EffectivenessRow>,
}

impl Services {
    /// At most `most` playbooks that fit, the closest first; needs `catalog:search`.
    pub async fn find_for_model(
        &self,
        caller: &Caller,
        filter: &CatalogFilter,
        most: usize,
    ) -> Answer<Vec<CatalogItem>> {
        caller.require(Right::CatalogSearch)?;
        let mut found: Vec<CatalogItem> = Vec::new();
        for stage in stages(filter) {
            if found.len() >= most {
                break;
            }
            // Those of the stages before are found again.
            for item in self.first_that_fit(caller, &stage, most + found.len()).await? {
                let id = &item.playbook.registration.id;
                if !found.iter().any(|known| known.playbook.registration.id == *id) {
                    found.push(item);
                }
            }
        }
        found.truncate(most);
        Ok(found)
    }

    /// So many at least that fit, the closest first, or all.
    async fn first_that_fit(&self, caller: &Caller, filter: &CatalogFilter, many: usize) -> Answer<Vec<CatalogItem>> {
        let mut page = Page::first(u32::try_from(many).unwrap_or(Page::MAX_LIMIT));
        let mut fitting = Vec::new();
        loop {
            let found = CatalogService::search(self, caller, filter, &page).await?;
            fitting.extend(found.items);
            let Some(next) = found.next_cursor.filter(|_| fitting.len() < many) else { return Ok(fitting) };
            page.cursor = Some(next);
        }
    }

    /// A strategy held against the catalog, with what keeps it from running; needs `recommendations:propose`. Nothing is stored.
    pub async fn try_strategy(&self, caller: &Caller, body: &Value) -> Answer<Strategy> {
        caller.require(Right::Propose)?;
        let mut strategy = intake::parse_trial(body).map_err(|faults| ServiceError::Invalid(faults.into_vec()))?;
        self.check_strategy(&mut strategy, None).await?;
        Ok(strategy)
    }

    /// What was measured of a playbook; needs `catalog:search`, and the console to be set so.
    pub async fn record_for_model(&self, caller: &Caller, id: &PlaybookId) -> Answer<MeasuredRecord> {
        caller.require(Right::CatalogSearch)?;
        if !self.models_see_record() {
            let detail = "the measured record is not shown to models here; choose by the playbooks' descriptions";
            return Err(ServiceError::Forbidden(detail.into()));
        }
        // Also of one that has no active version any more; one that never was has no record.
        self.newest(caller, id).await.map_err(|error| match error {
            ServiceError::NotFound(_) => unknown(id, None),
            other => other,
        })?;
        let only = EffectivenessFilter { workflow_id: Some(id.to_string()), ..Default::default() };
        Ok(MeasuredRecord {
            all: self.effectiveness_rows(GroupBy::Playbook, &only).await?.into_iter().next(),
            versions: self.effectiveness_rows(GroupBy::Version, &only).await?,
        })
    }

    /// Whether models are told what was measured.
    pub fn models_see_record(&self) -> bool {
        self.world.settings.models_see_record
    }
}

/// There is no such playbook, or no such version of it, told where it was named.
pub fn unknown(id: &PlaybookId, version: Option<&Version>) -> ServiceError {
    let fault = match version {
        None => {
            let message = format!("there is no playbook \"{id}\"; search_playbooks finds those there are");
            Fault::new("/workflow_id", "unknown_playbook", message)
        }
        Some(version) => {
            let message =
                format!("there is no {id} {version}; leave version out for the newest active one, or search_playbooks");
            Fault::new("/version", "unknown_version", message)
        }
    };
    ServiceError::Invalid(vec![fault])
}

/// The playbook and version that a strategy would run.
pub fn named(strategy: &Strategy) -> (&str, Option<&str>) {
    match &strategy.proposal {
        Proposal::Playbook { workflow_id, version, .. } => (workflow_id, version.as_deref()),
        Proposal::Steps { .. } => ("", None),
    }
}
