//! RemediationWorkflows: registrations that somebody applied to the cluster. The same checks and the same row in the audit trail
//! as by any other door; whether they may register was judged by the cluster, when it let them create the object.

use super::{Services, parse, store_fault};
use domain::{
    audit::AuditEntry,
    fault::{Fault, code},
    identity::Caller,
    json::strict::BODY_BYTES,
    playbook::{Registration, Version, applied, compare},
    ports::{
        AppliedPlaybook, CatalogObject, Known, PlaybookApplied, PlaybookRecord, PlaybookStatus, StatusChange,
        StatusChanged, StoreError,
    },
    services::{Answer, ServiceError},
};
use serde_json::{Value, json};

/// Places of differences that a refusal names.
const NAMED: usize = 5;
/// Why a version is disabled whose object is gone. Applied again it becomes active again; what was disabled for another reason does not.
const DELETED: &str = "its RemediationWorkflow was deleted from the cluster";
const AGAIN: &str = "its RemediationWorkflow was applied again";

impl Services {
    /// Registers what was applied, or says why not.
    pub(in crate::services) async fn register_applied(
        &self,
        caller: &Caller,
        object: &AppliedPlaybook,
    ) -> PlaybookApplied {
        match self.applied(caller, object).await {
            Ok((record, newest)) => match newest {
                Some(newest) => PlaybookApplied::Superseded(Box::new(record), newest),
                None => PlaybookApplied::Registered(Box::new(record)),
            },
            Err(ServiceError::Invalid(faults)) => {
                PlaybookApplied::Invalid(faults.into_iter().map(applied::fault).collect())
            }
            Err(ServiceError::Conflict { detail, differences, .. }) => {
                let places: Vec<_> = differences.iter().map(|change| change.pointer.as_str()).collect();
                let more = if places.len() > NAMED { ", …" } else { "" };
                let places = applied::words(&places[..places.len().min(NAMED)].join(", "));
                PlaybookApplied::Different(format!("{detail}; they differ in {places}{more}"))
            }
            Err(other) => {
                tracing::warn!(name = object.name, error = ?other, "an applied RemediationWorkflow can't be registered now");
                PlaybookApplied::Later
            }
        }
    }

    /// The version, and the one that has superseded it.
    async fn applied(&self, caller: &Caller, object: &AppliedPlaybook) -> Answer<(PlaybookRecord, Option<Version>)> {
        let record = self.registered(caller, object).await?;
        let catalog = &self.world.catalog;
        let Registration { id, version, .. } = &record.registration;
        let kept = CatalogObject { name: object.name.clone(), id: id.clone(), version: version.clone() };
        let cluster = &self.world.settings.cluster;
        if catalog.object(cluster, &object.name).await.map_err(store_fault)?.as_ref() != Some(&kept) {
            catalog.keep_object(cluster, &kept).await.map_err(store_fault)?;
        }
        let newest = catalog.newest_active(id).await.map_err(store_fault)?;
        let newest = newest.map(|newest| newest.registration.version).filter(|newest| newest > version);
        Ok((record, newest))
    }

    async fn registered(&self, caller: &Caller, object: &AppliedPlaybook) -> Answer<PlaybookRecord> {
        let document = applied::registration(&object.spec);
        short_enough(&document)?;
        // After a restart every object is handed in again: what is there already costs a few rows that are read.
        let new = parse(&document)?;
        let known = self.world.catalog.version(&new.id, &new.version).await.map_err(store_fault)?;
        let after = json!({ "remediation_workflow": object.name });
        if let Some(known) = known.filter(|known| compare(&known.registration, &new).is_empty()) {
            if known.status == PlaybookStatus::Disabled && known.status_reason.as_deref() == Some(DELETED) {
                let active = PlaybookStatus::Active;
                return self.turned(caller, &known, active, AGAIN, after).await.map_err(store_fault);
            }
            return Ok(known);
        }
        self.store_registration(caller, &document, after).await.map(|(record, _)| record)
    }

    /// An object is gone: the version that it had is disabled, unless another object has it or a person registered it. Nothing of it
    /// is lost. It is forgotten last, so that a console that ends meanwhile begins anew.
    pub(in crate::services) async fn unregister_applied(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<Vec<String>, StoreError> {
        let (catalog, cluster) = (&self.world.catalog, &self.world.settings.cluster);
        let Some(gone) = catalog.object(cluster, name).await? else { return Ok(Vec::new()) };
        let others: Vec<CatalogObject> = catalog.objects(cluster).await?;
        let others = others.into_iter().filter(|other| other.id == gone.id && other.name != gone.name);
        let others: Vec<CatalogObject> = others.collect();
        let record = catalog.version(&gone.id, &gone.version).await?;
        let unwanted = |record: &PlaybookRecord| {
            record.registered_by.is_cluster()
                && record.status != PlaybookStatus::Disabled
                && others.iter().all(|other| other.version != gone.version)
        };
        if let Some(record) = record.filter(unwanted) {
            let after = json!({ "remediation_workflow": name });
            self.turned(caller, &record, PlaybookStatus::Disabled, DELETED, after).await?;
        }
        catalog.forget_object(cluster, name).await?;
        Ok(others.into_iter().map(|other| other.name).collect())
    }

    /// Names of the objects that have a version in the catalog: all, or those of the same playbook as one.
    pub(in crate::services) async fn kept_objects(&self, of: Option<&str>) -> Result<Vec<String>, StoreError> {
        let (catalog, cluster) = (&self.world.catalog, &self.world.settings.cluster);
        let mut all = catalog.objects(cluster).await?;
        if let Some(name) = of {
            let id = all.iter().find(|object| object.name == name).map(|object| object.id.clone());
            all.retain(|object| Some(&object.id) == id.as_ref() && object.name != name);
        }
        Ok(all.into_iter().map(|object| object.name).collect())
    }

    /// Sets the status that an object's coming or going means; what somebody else made of the version meanwhile stays.
    async fn turned(
        &self,
        caller: &Caller,
        record: &PlaybookRecord,
        status: PlaybookStatus,
        why: &str,
        mut after: Value,
    ) -> Result<PlaybookRecord, StoreError> {
        let Registration { id, version, .. } = &record.registration;
        let mut audit = AuditEntry::by(caller, "playbook.status", "playbook", format!("{id}@{version}"));
        after["status"] = json!(status);
        audit.after = Some(after);
        audit.reason = Some(why.to_owned());
        let change = StatusChange { status, reason: Some(why.to_owned()), known: Known::Tags(vec![record.tag()]) };
        match self.world.catalog.set_status(id, version, change, audit).await? {
            StatusChanged::Done(now) | StatusChanged::Moved(now) => Ok(*now),
            StatusChanged::Missing => Ok(record.clone()),
        }
    }
}

/// As long as the body of a request may be, and no longer.
fn short_enough(document: &Value) -> Answer<()> {
    let bytes = document.to_string().len();
    if bytes <= BODY_BYTES {
        return Ok(());
    }
    let message = format!("shorten it: a registration has at most {BODY_BYTES} bytes of JSON, not {bytes}");
    Err(ServiceError::Invalid(vec![Fault::new("", code::TOO_LONG, message)]))
}

#[cfg(test)]
mod tests;
