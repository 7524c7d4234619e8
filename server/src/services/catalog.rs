//! Playbooks: registering, finding, and the projection that a model may see.

mod applied;
mod review;
mod search;

use super::{Services, image_fault, limits, reason, store_fault};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    effectiveness::{EffectivenessFilter, GroupBy},
    identity::{Caller, Right},
    json::diff::{self, Change},
    paging::{Page, PageOf},
    playbook::{PlaybookId, Registration, Version, actions::ActionRegistry, schema},
    ports::{
        CatalogFilter, ExecutionFilter, Facet, NewPlaybook, PlaybookRecord, Registered, StatusChange, StatusChanged,
    },
    services::{Answer, CatalogService, Found, PlaybookView, RegistrationPreview, Review, ServiceError},
    signature::ImageSignature,
};
use serde_json::{Value, json};

#[async_trait]
impl CatalogService for Services {
    async fn register(&self, caller: &Caller, registration: &Value) -> Answer<(PlaybookRecord, bool)> {
        caller.require(Right::CatalogWrite)?;
        self.store_registration(caller, registration, json!({})).await
    }

    async fn validate(&self, caller: &Caller, registration: &Value) -> Answer<RegistrationPreview> {
        caller.require(Right::CatalogWrite)?;
        let registration = self.prepare(caller, registration).await?.registration;
        let known = self.world.catalog.version(&registration.id, &registration.version).await.map_err(store_fault)?;
        if let Some(known) = &known {
            let differences = diff::diff(&json!(known.registration), &json!(registration));
            if !differences.is_empty() {
                return Err(different_content(&registration, differences));
            }
        }
        let schema = schema::json_schema(&registration);
        Ok(RegistrationPreview { registration, schema, registered: known.is_some() })
    }

    async fn review(&self, caller: &Caller, document: &Value, base: Option<(PlaybookId, Version)>) -> Answer<Review> {
        caller.require(Right::CatalogWrite)?;
        self.registration_reviewed(caller, document, base).await
    }

    async fn find(&self, caller: &Caller, filter: &CatalogFilter, page: &Page) -> Answer<Found> {
        caller.require(Right::CatalogSearch)?;
        limits::short_catalog(filter)?;
        self.found(caller, filter, page).await
    }

    async fn facets(&self, caller: &Caller, filter: &CatalogFilter) -> Answer<Vec<Facet>> {
        caller.require(Right::CatalogSearch)?;
        limits::short_catalog(filter)?;
        self.world.catalog.facets(filter).await.map_err(store_fault)
    }

    async fn actions(&self, caller: &Caller) -> Answer<Option<ActionRegistry>> {
        caller.require(Right::CatalogRead)?;
        self.action_registry().await
    }

    async fn playbook(&self, caller: &Caller, id: &PlaybookId) -> Answer<PlaybookView> {
        caller.require(Right::CatalogRead)?;
        let versions = self.world.catalog.versions(id).await.map_err(store_fault)?;
        let newest = versions.first().ok_or(ServiceError::NotFound("playbook"))?;
        let only = EffectivenessFilter { workflow_id: Some(id.to_string()), ..Default::default() };
        let runs = ExecutionFilter { workflow_id: Some(id.to_string()), ..Default::default() };
        Ok(PlaybookView {
            schema: schema::json_schema(&newest.registration),
            track: self.effectiveness_rows(GroupBy::Playbook, &only).await?.into_iter().next(),
            by_version: self.effectiveness_rows(GroupBy::Version, &only).await?,
            recent: self.world.executions.lines(&runs, &Page::first(10)).await.map_err(store_fault)?.items,
            versions,
        })
    }

    async fn versions(&self, caller: &Caller, id: &PlaybookId, page: &Page) -> Answer<PageOf<PlaybookRecord>> {
        caller.require(Right::CatalogRead)?;
        let found = self.world.catalog.version_page(id, page).await.map_err(store_fault)?;
        if found.items.is_empty() && page.cursor.is_none() {
            return Err(ServiceError::NotFound("playbook"));
        }
        Ok(found)
    }

    async fn newest(&self, caller: &Caller, id: &PlaybookId) -> Answer<PlaybookRecord> {
        caller.require(Right::CatalogSearch)?;
        let active = self.world.catalog.newest_active(id).await.map_err(store_fault)?;
        let record = match active {
            Some(record) => Some(record),
            None => self.world.catalog.versions(id).await.map_err(store_fault)?.into_iter().next(),
        };
        record.map(|record| projected(caller, record)).ok_or(ServiceError::NotFound("playbook"))
    }

    async fn version(&self, caller: &Caller, id: &PlaybookId, version: &Version) -> Answer<PlaybookRecord> {
        caller.require(Right::CatalogSearch)?;
        Ok(projected(caller, self.playbook_version(id, version).await?))
    }

    async fn schema(&self, caller: &Caller, id: &PlaybookId, version: &Version) -> Answer<Value> {
        caller.require(Right::CatalogSearch)?;
        Ok(schema::json_schema(&self.playbook_version(id, version).await?.registration))
    }

    async fn set_status(
        &self,
        caller: &Caller,
        id: &PlaybookId,
        version: &Version,
        mut change: StatusChange,
    ) -> Answer<PlaybookRecord> {
        caller.require(Right::CatalogWrite)?;
        change.reason = reason::checked(change.reason)?;
        let mut audit = AuditEntry::by(caller, "playbook.status", "playbook", format!("{id}@{version}"));
        audit.after = Some(json!({ "status": change.status }));
        audit.reason.clone_from(&change.reason);
        match self.world.catalog.set_status(id, version, change, audit).await.map_err(store_fault)? {
            StatusChanged::Done(record) => Ok(*record),
            StatusChanged::Moved(record) => Err(ServiceError::Moved { tag: record.tag() }),
            StatusChanged::Missing => Err(ServiceError::NotFound("playbook version")),
        }
    }
}

impl Services {
    /// Registers for whoever may. `after` is what the audit row says beside image and title.
    async fn store_registration(
        &self,
        caller: &Caller,
        registration: &Value,
        mut after: Value,
    ) -> Answer<(PlaybookRecord, bool)> {
        let mut new = self.prepare(caller, registration).await?;
        new.trust = self.world.registry.trust().map(str::to_owned);
        if new.trust.is_some() {
            new.signature = self.look_now(&new.image).await;
            after["signature"] = json!(new.signature.state);
        }
        let id = format!("{}@{}", new.registration.id, new.registration.version);
        let mut audit = AuditEntry::by(caller, "playbook.register", "playbook", id);
        after["image"] = json!(new.image);
        after["title"] = json!(new.registration.title);
        audit.after = Some(after);
        let wanted = new.registration.clone();
        match self.world.catalog.register(new, audit).await.map_err(store_fault)? {
            Registered::Created(record) => Ok((*record, true)),
            Registered::Same(record) => Ok((*record, false)),
            Registered::Different(record) => {
                let differences = diff::diff(&json!(record.registration), &json!(wanted));
                Err(different_content(&wanted, differences))
            }
        }
    }

    /// Everything that a registration must pass before it is compared with what is there.
    async fn prepare(&self, caller: &Caller, registration: &Value) -> Answer<NewPlaybook> {
        let registration = parse(registration)?;
        let image = match self.world.registry.resolve(&registration.image).await {
            Ok(image) => image,
            Err(error) => return Err(ServiceError::Invalid(vec![image_fault(&error, "/container_image")?])),
        };
        let (signature, trust, by) = (ImageSignature::default(), None, caller.actor.clone());
        Ok(NewPlaybook { registration, image, signature, trust, by })
    }

    async fn playbook_version(&self, id: &PlaybookId, version: &Version) -> Answer<PlaybookRecord> {
        let found = self.world.catalog.version(id, version).await.map_err(store_fault)?;
        found.ok_or(ServiceError::NotFound("playbook version"))
    }
}

fn different_content(wanted: &Registration, differences: Vec<Change>) -> ServiceError {
    let detail = format!(
        "{} {} is registered already with another content, and a version never changes; give this one a new version",
        wanted.id, wanted.version
    );
    ServiceError::Conflict { code: "different_content", detail, differences }
}

fn parse(registration: &Value) -> Answer<Registration> {
    Registration::parse(registration).map_err(|faults| ServiceError::Invalid(faults.into_vec()))
}

/// What this caller may see: without `catalog:read` no hidden parameter, no internal step and no account.
fn projected(caller: &Caller, mut record: PlaybookRecord) -> PlaybookRecord {
    if !caller.may(Right::CatalogRead) {
        record.registration = record.registration.for_model();
    }
    record
}
