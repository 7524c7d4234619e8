//! What runs left in their workspaces: whether it may be listed, and asking the cluster to.

use super::{Services, store_fault};
use domain::{
    audit::AuditEntry,
    identity::Caller,
    ids::ExecutionId,
    pipeline_run,
    services::{Answer, Listings, ServiceError},
    workspace::{NoListing, WorkspaceListing},
};
use serde_json::json;

impl Services {
    pub(super) fn workspace_listings(&self) -> Listings {
        let settings = &self.world.settings;
        match (settings.sandbox, settings.lists_workspaces) {
            (true, _) => Listings::Sandbox,
            (false, true) => Listings::On,
            (false, false) => Listings::Off,
        }
    }

    /// The listing; the caller's right is checked already.
    pub(super) async fn workspace_listing(
        &self,
        caller: &Caller,
        id: &ExecutionId,
        workspace: &str,
    ) -> Answer<WorkspaceListing> {
        let execution = self.execution(id).await?;
        let ticket = self.stored_ticket_view(&execution.subject.ticket_digest).await?;
        if !pipeline_run::claimed_workspaces(&ticket.content.plan).contains(&workspace) {
            return Err(ServiceError::NotFound("workspace of this execution with a volume of its own"));
        }
        match self.workspace_listings() {
            Listings::On if execution.state.ended() => {}
            Listings::On => return Err(refused(&NoListing::NotEnded)),
            Listings::Off => return Err(refused(&NoListing::Off)),
            Listings::Sandbox => return Err(refused(&NoListing::Sandbox)),
        }
        // A row for each pod that is asked for, none for what can't be: else whoever asks again and again fills the trail.
        let cluster = self.cluster()?;
        cluster.may_list_workspace(&execution, workspace).await.map_err(|no| refused(&no))?;
        // No row, no pod.
        let mut audit = AuditEntry::by(caller, "execution.list_workspace", "execution", id.as_str());
        audit.after = Some(json!({ "workspace": workspace }));
        self.world.audit.append(audit).await.map_err(store_fault)?;
        cluster.list_workspace(&execution, workspace).await.map_err(|no| refused(&no))
    }
}

/// A state that forbids it is a conflict; a neighbour that is not as it should be is unavailable.
fn refused(no: &NoListing) -> ServiceError {
    match no.code() {
        Some(code) => ServiceError::Conflict { code, detail: no.to_string(), differences: Vec::new() },
        None => ServiceError::Unavailable(no.to_string()),
    }
}
