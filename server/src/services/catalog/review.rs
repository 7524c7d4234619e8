//! Judging a registration while it is written: every fault that registering it would meet, what a model would see, the
//! PipelineRun, and how it compares with the version that it follows. Stores nothing.

use super::{Services, store_fault};
use domain::{
    fault::Fault,
    identity::Caller,
    pipeline_run::{Place, preview},
    playbook::{Comparison, ImageRef, PlaybookId, Reach, Registration, Version, draft, proposed, says_enough, schema},
    ports::PlaybookRecord,
    services::{Answer, BaseView, DraftView, Review, ServiceError},
};
use serde_json::Value;

impl Services {
    pub(super) async fn registration_reviewed(
        &self,
        caller: &Caller,
        document: &Value,
        base: Option<(PlaybookId, Version)>,
    ) -> Answer<Review> {
        let (new, mut faults) = match self.prepare(caller, document).await {
            Ok(new) => (Some(new), Vec::new()),
            Err(ServiceError::Invalid(faults)) => (None, faults),
            Err(other) => return Err(other),
        };
        let mut registered = false;
        let image = new.as_ref().map(|new| new.image.clone());
        let new = new.map(|new| new.registration);
        if let Some(new) = &new {
            let known = self.world.catalog.version(&new.id, &new.version).await.map_err(store_fault)?;
            registered = known.as_ref().is_some_and(|known| known.registration == *new);
            if known.is_some() && !registered {
                faults.push(taken(new));
            }
        }
        let read = new.or_else(|| draft(document));
        let base = match &read {
            Some(read) => self.base(document, read, image.as_ref(), base).await?,
            None => None,
        };
        Ok(Review { faults, registered, base, draft: read.map(|registration| self.drafted(registration)) })
    }

    fn drafted(&self, registration: Registration) -> DraftView {
        let settings = &self.world.settings;
        let place = Place {
            cluster: settings.cluster.clone(),
            namespace: settings.namespace.clone(),
            kubeconfig_secret: settings.kubeconfig_secret.clone(),
        };
        let pipeline_run = preview(&registration, &place);
        DraftView { schema: schema::json_schema(&registration), pipeline_run, registration }
    }

    /// The version that the registration follows: the one it was started from, or the newest with its id.
    async fn base(
        &self,
        document: &Value,
        new: &Registration,
        image: Option<&ImageRef>,
        wanted: Option<(PlaybookId, Version)>,
    ) -> Answer<Option<BaseView>> {
        let said = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
        let typed = said("workflow_id").parse::<PlaybookId>().ok();
        let id = match (&wanted, &typed) {
            (Some((id, _)), _) => id.clone(),
            (None, Some(typed)) => typed.clone(),
            (None, None) => return Ok(None),
        };
        let versions = self.world.catalog.versions(&id).await.map_err(store_fault)?;
        let of = |version: &Version| versions.iter().find(|record| record.registration.version == *version);
        let base: Option<&PlaybookRecord> = if let Some((_, version)) = &wanted {
            of(version)
        } else {
            // The next older one; where there is none, or no version yet, the newest.
            let others = || versions.iter().filter(|record| record.registration.version != new.version);
            others().find(|record| record.registration.version < new.version).or_else(|| others().next())
        };
        let Some(PlaybookRecord { registration: base, image: pinned, .. }) = base else { return Ok(None) };
        let same = image == Some(pinned) && Registration { version: base.version.clone(), ..new.clone() } == *base;
        let renamed = typed.is_some_and(|typed| typed != base.id);
        let comparison = if renamed { Comparison::default() } else { Comparison::of(base, new) };
        let reach = comparison.reach().unwrap_or(Reach::Patch);
        let taken: Vec<Version> = versions.iter().map(|record| record.registration.version.clone()).collect();
        let enough =
            said("version").parse::<Version>().is_ok_and(|version| says_enough(&base.version, &version, reach));
        Ok(Some(BaseView {
            id: base.id.clone(),
            version: base.version.clone(),
            renamed,
            proposed: proposed(&base.version, reach, &taken),
            comparison,
            enough,
            same,
        }))
    }
}

/// Registering would meet this as a conflict.
fn taken(new: &Registration) -> Fault {
    let message = format!("{} is registered already with another content; give this one a new version", new.version);
    Fault::new("/version", "different_content", message)
}
