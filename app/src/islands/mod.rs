//! What comes alive in the browser. Every island adds to a page that is complete without it, takes plain props, and knows no
//! service.

mod awaited;
#[cfg(feature = "hydrate")]
mod browser;
mod clockwork;
mod copy;
mod drop;
#[cfg(any(feature = "hydrate", test))]
mod follow;
mod form;
mod keys;
mod live;
mod palette;
mod run;
mod slide;

pub use clockwork::Clockwork;
pub use copy::{CopyOf, CopyText, Copying};
pub use drop::DropFile;
pub use form::LiveForm;
pub use keys::Keys;
pub use live::Live;
pub use palette::Palette;
pub use run::{LiveRun, LogViewer, RunPicture, zoom};
pub use slide::Slide;
