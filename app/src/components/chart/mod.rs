//! Charts: what is measured, drawn by plotters in the theme's classes, with marks that say the numbers where they are pointed at
//! or focused. A table beside each says the same.

mod canvas;
mod mark;
mod measure;
mod theme;
mod weeks;

pub use canvas::{Canvas, Drawn, drawn};
pub use mark::{Mark, Marked};
pub use measure::Measure;
pub use theme::Ink;
pub use weeks::{Spark, at, dots, mark};
