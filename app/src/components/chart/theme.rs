//! A drawing backend for plotters that writes SVG with classes in place of colours, so that a chart follows the theme of the
//! page: light, dark, more contrast. It knows shapes and text, not what a chart means.

use plotters::style::{RGBColor, text_anchor::HPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, text_anchor::VPos,
};
use std::{convert::Infallible, fmt::Write as _};

/// What a shape is, and so its class in the style sheet. plotters hands colours through: each of these travels as one that
/// means nothing but its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// The axis, and the line from 0 to 100 %.
    Ground,
    /// The text of ticks and counts.
    Note,
    /// The name of a group.
    Name,
    /// The interval.
    Interval,
    /// The measured value.
    Dot,
    /// From one measured value to the next.
    Line,
    /// What a model said.
    Said,
    /// The phases of a recovery: until the cause was found, until somebody decided, until the run had ended, until the signal had
    /// cleared, and others.
    Investigate,
    Decide,
    Run,
    Clear,
    Other,
}

impl Ink {
    const ALL: [Self; 12] = [
        Self::Ground,
        Self::Note,
        Self::Name,
        Self::Interval,
        Self::Dot,
        Self::Line,
        Self::Said,
        Self::Investigate,
        Self::Decide,
        Self::Run,
        Self::Clear,
        Self::Other,
    ];

    /// As a colour, for plotters.
    pub const fn color(self) -> RGBColor {
        RGBColor(self as u8, 0, 0)
    }

    /// Its class in the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Ground => "ground",
            Self::Note => "note-text",
            Self::Name => "name-text",
            Self::Interval => "interval",
            Self::Dot => "dot",
            Self::Line => "line",
            Self::Said => "said",
            Self::Investigate => "phase-investigate",
            Self::Decide => "phase-decide",
            Self::Run => "phase-run",
            Self::Clear => "phase-clear",
            Self::Other => "phase-other",
        }
    }

    fn of(color: BackendColor) -> &'static str {
        Self::ALL.get(usize::from(color.rgb.0)).map_or("ground", |ink| ink.class())
    }
}

/// Collects the elements of an SVG.
pub struct ThemedSvg<'a> {
    into: &'a mut String,
    size: (u32, u32),
}

impl<'a> ThemedSvg<'a> {
    /// A drawing of this size in CSS pixels, appended to a text.
    pub const fn new(into: &'a mut String, size: (u32, u32)) -> Self {
        Self { into, size }
    }

    /// Writing to a text can't fail.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the drawing methods end with it, and plotters wants a result of each"
    )]
    fn put(&mut self, element: std::fmt::Arguments<'_>) -> Drawn {
        let _ = self.into.write_fmt(element);
        Ok(())
    }
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

fn invisible(color: BackendColor) -> bool {
    color.alpha <= 0.0
}

fn points(path: impl IntoIterator<Item = BackendCoord>) -> String {
    path.into_iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
}

/// A text for element content and attribute values.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}

impl DrawingBackend for ThemedSvg<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        if invisible(color) {
            return Ok(());
        }
        self.put(format_args!(r#"<rect class="{}" x="{x}" y="{y}" width="1" height="1"/>"#, Ink::of(color)))
    }

    fn draw_line<S: BackendStyle>(&mut self, (x1, y1): BackendCoord, (x2, y2): BackendCoord, style: &S) -> Drawn {
        if invisible(style.color()) {
            return Ok(());
        }
        let class = Ink::of(style.color());
        self.put(format_args!(r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#))
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        _fill: bool,
    ) -> Drawn {
        if invisible(style.color()) {
            return Ok(());
        }
        let (class, width, height) = (Ink::of(style.color()), (right - left).max(0), (bottom - top).max(0));
        self.put(format_args!(r#"<rect class="{class}" x="{left}" y="{top}" width="{width}" height="{height}"/>"#))
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        if invisible(style.color()) {
            return Ok(());
        }
        self.put(format_args!(r#"<polyline class="{}" points="{}"/>"#, Ink::of(style.color()), points(path)))
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, corners: I, style: &S) -> Drawn {
        if invisible(style.color()) {
            return Ok(());
        }
        self.put(format_args!(r#"<polygon class="{}" points="{}"/>"#, Ink::of(style.color()), points(corners)))
    }

    fn draw_circle<S: BackendStyle>(&mut self, (x, y): BackendCoord, radius: u32, style: &S, _fill: bool) -> Drawn {
        if invisible(style.color()) {
            return Ok(());
        }
        self.put(format_args!(r#"<circle class="{}" cx="{x}" cy="{y}" r="{radius}"/>"#, Ink::of(style.color())))
    }

    fn draw_text<T: BackendTextStyle>(&mut self, text: &str, style: &T, (x, y): BackendCoord) -> Drawn {
        if invisible(style.color()) {
            return Ok(());
        }
        let anchor = match style.anchor().h_pos {
            HPos::Left => "start",
            HPos::Center => "middle",
            HPos::Right => "end",
        };
        // Attributes of the font itself are the style sheet's; only where the text stands is ours.
        let baseline = match style.anchor().v_pos {
            VPos::Top => "hanging",
            VPos::Center => "central",
            VPos::Bottom => "auto",
        };
        let class = Ink::of(style.color());
        self.put(format_args!(
            r#"<text class="{class}" x="{x}" y="{y}" text-anchor="{anchor}" dominant-baseline="{baseline}">{}</text>"#,
            escape(text)
        ))
    }

    fn estimate_text_size<T: BackendTextStyle>(
        &self,
        text: &str,
        style: &T,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        // Inter is about half as wide as it is high. The browser sets the text; this only places what stands around it.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "sizes of fonts are small and positive"
        )]
        let height = style.size().ceil() as u32;
        let letters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        Ok((letters.saturating_mul(height.div_ceil(2)), height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_carries_classes_and_no_colour_and_text_stays_text() {
        let mut svg = String::new();
        let mut backend = ThemedSvg::new(&mut svg, (10, 10));
        let ink = |ink: Ink| BackendColor { alpha: 1.0, rgb: (ink as u8, 0, 0) };
        backend.draw_circle((1, 2), 3, &ink(Ink::Dot), true).unwrap();
        backend.draw_path([(0, 0), (5, 0)], &ink(Ink::Interval)).unwrap();
        backend.draw_line((0, 0), (1, 1), &BackendColor { alpha: 0.0, rgb: (0, 0, 0) }).unwrap();
        assert_eq!(svg, r#"<circle class="dot" cx="1" cy="2" r="3"/><polyline class="interval" points="0,0 5,0"/>"#);
        assert_eq!(escape("<a b=\"&\">"), "&lt;a b=&quot;&amp;&quot;&gt;");
    }
}
