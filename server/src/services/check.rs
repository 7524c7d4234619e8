//! Judging a strategy against the catalog: can it run, and with which registration?

use super::{Services, store_fault};
use domain::{
    fault::{Fault, code},
    playbook::{ImageRef, PlaybookId, Version, values},
    ports::{PlaybookRecord, PlaybookStatus},
    recommendation::{Proposal, Strategy},
    recovery,
    services::Answer,
};
use serde_json::{Map, Value};

impl Services {
    /// Fills in the version, the registration's risk and the errors of a strategy at intake. Pointers lead into the strategy.
    /// `bundle` is the image that was named for it, if any: the registration alone says what runs.
    pub(super) async fn check_strategy(&self, strategy: &mut Strategy, bundle: Option<&ImageRef>) -> Answer<()> {
        let Proposal::Playbook { workflow_id, version, parameters, rollback_parameters } = &mut strategy.proposal
        else {
            return Ok(());
        };
        match self.find_playbook(workflow_id, version.as_deref()).await? {
            Err(fault) => strategy.errors.push(fault),
            Ok(record) => {
                strategy.declared_risk = record.registration.risk;
                *version = Some(record.registration.version.to_string());
                if bundle.is_some_and(|bundle| !bundle.is_pinned_by(&record.image)) {
                    let message = "leave executionBundle out: the registration of this version has another image";
                    strategy.errors.push(Fault::new("/executionBundle", code::NOT_ALLOWED, message));
                }
                if let Err(faults) = values::validate(&record.registration, parameters) {
                    strategy.errors.extend(faults.into_iter().map(|f| under("/parameters", f)));
                } else if let Some(back) = rollback_parameters {
                    let whole = recovery::undoing(parameters, back);
                    let faults = values::validate(&record.registration, &whole).err().into_iter().flatten();
                    strategy.rollback_errors.extend(faults.map(|f| under("/rollback_parameters", f)));
                }
            }
        }
        Ok(())
    }

    /// The version a strategy names, or the newest active one; a fault when it can't run.
    pub(super) async fn find_playbook(
        &self,
        workflow_id: &str,
        version: Option<&str>,
    ) -> Answer<Result<PlaybookRecord, Fault>> {
        let unknown = || {
            Fault::new(
                "/workflow_id",
                "unknown_playbook",
                format!("there is no playbook \"{workflow_id}\"; search the catalog and use a workflow_id from there"),
            )
        };
        let Ok(id) = workflow_id.parse::<PlaybookId>() else { return Ok(Err(unknown())) };
        let Some(version) = version else {
            if let Some(record) = self.world.catalog.newest_active(&id).await.map_err(store_fault)? {
                return Ok(Ok(record));
            }
            let none_at_all = self.world.catalog.versions(&id).await.map_err(store_fault)?.is_empty();
            return Ok(Err(if none_at_all { unknown() } else { disabled(workflow_id) }));
        };
        let Ok(wanted) = version.parse::<Version>() else {
            return Ok(Err(Fault::new(
                "/version",
                "malformed",
                format!("\"{version}\" is no SemVer version such as 1.0.0"),
            )));
        };
        match self.world.catalog.version(&id, &wanted).await.map_err(store_fault)? {
            None if self.world.catalog.versions(&id).await.map_err(store_fault)?.is_empty() => Ok(Err(unknown())),
            None => Ok(Err(Fault::new(
                "/version",
                "unknown_version",
                format!("{workflow_id} has no version {version}; leave it out to use the newest active one"),
            ))),
            Some(record) if record.status == PlaybookStatus::Disabled => Ok(Err(disabled(workflow_id))),
            Some(record) => Ok(Ok(record)),
        }
    }
}

fn disabled(workflow_id: &str) -> Fault {
    Fault::new(
        "/workflow_id",
        "disabled_playbook",
        format!("{workflow_id} is disabled; choose another playbook, or have an author activate it"),
    )
}

/// A fault with its pointer below another place.
pub(super) fn under(base: &str, fault: Fault) -> Fault {
    Fault { pointer: format!("{base}{}", fault.pointer), ..fault }
}

/// Whether values fit a registration's exposed parameters.
pub(super) fn fits(record: &PlaybookRecord, parameters: &Map<String, Value>) -> bool {
    values::validate(&record.registration, parameters).is_ok()
}
