//! The library of playbooks in the catalog: registered through the same door as anybody's.

use super::{SceneError, caller};
use crate::services::Services;
use domain::{
    identity::{Actor, Caller, Role},
    paging::Page,
    playbook::Registration,
    ports::{CatalogFilter, PlaybookStatus, StatusChange},
    services::CatalogService as _,
};
use history::library::LIBRARY;

/// Who registers the library.
fn librarian() -> Caller {
    caller(Actor::system("playbook library"), Role::Author)
}

/// Whether nobody has registered anything yet.
pub async fn is_empty(services: &Services) -> Result<bool, SceneError> {
    let found = services.search(&librarian(), &CatalogFilter::default(), &Page::first(1)).await?;
    Ok(found.items.is_empty())
}

/// Registers the whole library.
pub async fn register(services: &Services) -> Result<(), SceneError> {
    let librarian = librarian();
    for entry in &LIBRARY {
        let body = entry.body()?;
        let (record, _) = services.register(&librarian, &body).await?;
        if let Some(reason) = entry.deprecated {
            let Registration { id, version, .. } = &record.registration;
            let reason = Some(reason.to_owned());
            let change = StatusChange::to(PlaybookStatus::Deprecated, reason);
            services.set_status(&librarian, id, version, change).await?;
        }
    }
    Ok(())
}
