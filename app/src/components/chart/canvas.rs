//! Where a chart is drawn: from a size to the text of an SVG's inside.

use super::theme::ThemedSvg;
use plotters::{
    coord::Shift,
    drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea},
};
use std::convert::Infallible;

/// What becomes of drawing; writing to a text can't fail.
pub type Drawn<T> = Result<T, DrawingAreaErrorKind<Infallible>>;

/// What is drawn on.
pub type Canvas<'a> = DrawingArea<ThemedSvg<'a>, Shift>;

/// Draws on a canvas of this size in CSS pixels: the drawing as SVG, and what the drawing knows of its places.
pub fn drawn<T>(size: (u32, u32), draw: impl FnOnce(&Canvas<'_>) -> Drawn<T>) -> Drawn<(String, T)> {
    let mut svg = String::new();
    let known = {
        let root = ThemedSvg::new(&mut svg, size).into_drawing_area();
        let known = draw(&root)?;
        root.present()?;
        known
    };
    Ok((svg, known))
}
