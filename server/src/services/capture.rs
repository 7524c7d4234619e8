//! What a playbook declares to be kept before each of its runs: read from the object that the run acts on, in the moment before it is
//! let go. A run never waits for it longer than the cluster is given to answer, and never fails for it: what could not be read is
//! said where somebody wants to undo the run.

use super::{Services, store_fault};
use domain::{
    execution::Execution,
    playbook::{PlaybookId, Version},
    ports::Captured,
    recovery,
    services::Answer,
    target::kinds,
};

impl Services {
    pub(super) async fn capture(&self, run: &Execution) -> Answer<()> {
        let (Some(id), Some(version)) = (&run.subject.workflow_id, &run.subject.version) else { return Ok(()) };
        let (Ok(id), Ok(version)) = (id.parse::<PlaybookId>(), version.parse::<Version>()) else { return Ok(()) };
        let record = self.world.catalog.version(&id, &version).await.map_err(store_fault)?;
        let wanted = record.map(|record| record.registration.execution.capture).unwrap_or_default();
        if wanted.is_empty() {
            return Ok(());
        }
        let fields: Vec<String> = wanted.iter().map(|one| one.field.clone()).collect();
        let found = match run.subject.target().map(kinds::canonical) {
            Some(target) => self.cluster()?.fields(&target, &fields).await,
            None => Err("nothing says which object it acts on".to_owned()),
        };
        let captured = match found {
            Ok(values) => recovery::captured(&wanted, values),
            Err(why) => Captured { trouble: Some(why), ..Captured::default() },
        };
        self.world.recoveries.keep_capture(&run.subject.id, &captured).await.map_err(store_fault)
    }
}
