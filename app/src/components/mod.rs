//! The parts that pages are made of. They take plain data and know neither services nor requests.

pub mod chart;
pub mod equivalent;
mod field;
mod frame;
mod id;
mod inbox;
mod line_diff;
mod notice;
mod rates;
mod rows;
mod scale;
mod signature;
mod state;
mod still;
mod time;

pub use equivalent::{Command, Equivalent};
pub use field::{Field, Select};
pub use frame::{Filters, PageHead, Pager, Prose, Section, TableBox};
pub use id::{DigestId, Id, Image, ImageName, short_id};
pub use inbox::{Earlier, Hint, InboxRow, off_target, remedy};
pub use line_diff::LineDiff;
pub use notice::{Changes, Empty, Faults, FormFaults, Notice, before_and_after, plain};
pub use rates::{Rates, interval};
pub use rows::{HowFar, Outcome, RunRow, target};
pub use scale::{Beside, Measured, Scale, ScaleLine, beside, beside_lines, best_words};
pub use signature::{Signatures, Signed};
pub use state::{Chip, Mark, RiskChip, SeverityChip, State, Tone};
pub use still::Still;
pub use time::{Ago, At, Elapsed, Until, absolute, day};
