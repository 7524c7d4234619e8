//! REST: `api.md` in code. One file per area with its routes, handlers and wire forms together.

mod accept;
mod audit;
mod catalog;
mod common;
mod conditional;
mod effectiveness;
mod events;
mod executions;
mod incidents;
pub mod openapi;
mod policies;
mod query;
mod recommendations;
mod wire;

use super::access::Routes;

pub use events::PATH as EVENTS;

/// Adds all of `/api/v1`.
pub fn routes(routes: Routes) -> Routes {
    let routes = catalog::routes(routes);
    let routes = recommendations::routes(routes);
    let routes = executions::routes(routes);
    let routes = effectiveness::routes(routes);
    let routes = incidents::routes(routes);
    let routes = audit::routes(routes);
    let routes = policies::routes(routes);
    let routes = events::routes(routes);
    openapi::routes(routes)
}
