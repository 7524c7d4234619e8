//! The sizes of a run's picture, for the server that draws it and the browser that changes it.

/// The sizes that the buttons lead to, in percent.
pub const STEPS: [u16; 9] = [10, 15, 25, 35, 50, 70, 100, 140, 200];
/// Smaller than this in percent, nobody reads what is in a box.
pub const FAR: u16 = 50;
