//! The chart by group: what was measured as a dot in its Wilson interval, what the models said as a diamond, on one scale from 0
//! to 100 %.

use crate::{
    components::{
        Section,
        chart::{Canvas, Drawn, Ink, Mark, Marked, Measure, drawn},
    },
    words::{percent, shorten},
};
use domain::{effectiveness::EffectivenessRow, stats::Interval};
use leptos::prelude::*;
use plotters::{
    prelude::{
        ChartBuilder, Circle, Color, EmptyElement, IntoFont, LabelAreaPosition, PathElement, Polygon, TRANSPARENT, Text,
    },
    style::{
        TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

/// Measures of the picture, in CSS pixels.
#[derive(Clone, Copy, Debug)]
struct Shape {
    class: &'static str,
    width: u32,
    /// Room at the left and at the right of the scale.
    left: u32,
    right: u32,
    /// Height of a group.
    row: u32,
    /// How far above the scale name and count stand.
    above: i32,
    /// Characters of a name that fit.
    name: usize,
}

/// Names at the left, counts at the right.
const WIDE: Shape = Shape { class: "wide", width: 760, left: 250, right: 64, row: 34, above: 0, name: 32 };
/// Names and counts above the scale: for phones.
const NARROW: Shape = Shape { class: "narrow", width: 330, left: 20, right: 20, row: 52, above: 19, name: 36 };
const AXIS: u32 = 26;
/// More groups than this make no picture; the table has all of them.
const MOST: usize = 20;

/// The chart of these rows; groups without data are left to the table.
#[component]
pub fn Chart(rows: Vec<EffectivenessRow>, measure: Measure, title: &'static str) -> impl IntoView {
    let all: Vec<Bar> = rows.iter().filter_map(|row| Bar::new(row, measure)).collect();
    let shown = all.len().min(MOST);
    if shown == 0 {
        return ().into_any();
    }
    let bars = &all[..shown];
    let aside = if shown < all.len() { format!("the {shown} most run of {}", all.len()) } else { String::new() };
    let group = title.to_lowercase();
    let said = bars.iter().any(|bar| bar.said.is_some());
    let heading =
        format!("By {group}: how often it {}{}", measure.word(), if said { ", and what the model said" } else { "" });
    let label = format!("{heading}, with 95 % intervals; the table below says the same");
    let drawn: Vec<_> =
        [WIDE, NARROW].into_iter().filter_map(|shape| Some((shape, draw(bars, shape, measure).ok()?))).collect();
    view! {
        <Section title=heading aside=move || aside.clone()>
            {drawn.into_iter().map(|(shape, (drawing, marks))| {
                let size = (shape.width, shape.height(shown));
                view! { <Marked class=shape.class size label=label.clone() drawing marks /> }
            }).collect_view()}
            <p class="key sub">
                <span><b class="dot">"●"</b>" measured, in its 95 % interval"</span>
                {said.then(|| view! { <span><b>"◇"</b>" what models said, on average"</span> })}
            </p>
        </Section>
    }
    .into_any()
}

impl Shape {
    fn height(self, rows: usize) -> u32 {
        u32::try_from(rows).unwrap_or(0) * self.row + AXIS
    }
}

struct Bar {
    name: String,
    of: i64,
    share: Interval,
    said: Option<f64>,
}

impl Bar {
    fn new(row: &EffectivenessRow, measure: Measure) -> Option<Self> {
        let name = if row.group.is_empty() { "not named".to_owned() } else { row.group.clone() };
        Some(Self { name, of: measure.of(row), share: measure.share(row)?, said: row.said })
    }

    /// Short, for beside the shape.
    fn numbers(&self) -> String {
        let Interval { rate, low, high } = self.share;
        let said = self.said.map(|said| format!(", said {}", percent(said))).unwrap_or_default();
        format!("{} ({:.0}–{}){said}", percent(rate), low * 100.0, percent(high))
    }

    fn mark(&self, (x, y): (i32, i32), shape: Shape, measure: Measure) -> Mark {
        let (width, row) = (i32::try_from(shape.width).unwrap_or(0), i32::try_from(shape.row).unwrap_or(0));
        let top = if shape.above > 0 { y - row * 7 / 10 } else { y - row / 2 };
        // Below the shape, on the side with more room.
        let left = x < width * 2 / 3;
        Mark {
            area: (0, top, width, row),
            tip: (x.clamp(8, width - 8), y + 15),
            anchor: if left { "start" } else { "end" },
            numbers: self.numbers(),
            sentence: format!("{}: {} {}, {} counted", self.name, measure.word(), self.numbers(), self.of),
        }
    }
}

fn draw(bars: &[Bar], shape: Shape, measure: Measure) -> Drawn<(String, Vec<Mark>)> {
    drawn((shape.width, shape.height(bars.len())), |root| onto(root, bars, shape, measure))
}

fn onto(root: &Canvas<'_>, bars: &[Bar], shape: Shape, measure: Measure) -> Drawn<Vec<Mark>> {
    #[expect(clippy::cast_precision_loss, reason = "at most twenty rows")]
    let rows = bars.len() as f64;
    let text = |ink: Ink, h_pos| -> TextStyle<'static> {
        ("sans-serif", 12).into_font().color(&ink.color()).pos(Pos::new(h_pos, VPos::Center))
    };
    let (left, right) = (i32::try_from(shape.left).unwrap_or(0), i32::try_from(shape.right).unwrap_or(0));
    let mut chart = ChartBuilder::on(root)
        .set_label_area_size(LabelAreaPosition::Left, left)
        .set_label_area_size(LabelAreaPosition::Bottom, AXIS)
        .margin_right(right)
        .build_cartesian_2d(0.0..1.0, 0.0..rows)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .disable_y_axis()
        .x_labels(3)
        .x_label_formatter(&|share| percent(*share))
        .x_label_style(text(Ink::Note, HPos::Center))
        .axis_style(TRANSPARENT)
        .draw()?;
    // A little lower than the middle where the name stands above.
    let mut middle = rows - if shape.above > 0 { 0.7 } else { 0.5 };
    let mut marks = Vec::new();
    for bar in bars {
        let Interval { rate, low, high } = bar.share;
        chart.draw_series([PathElement::new(vec![(0.0, middle), (1.0, middle)], Ink::Ground.color())])?;
        chart.draw_series([PathElement::new(vec![(low, middle), (high, middle)], Ink::Interval.color())])?;
        chart.draw_series([Circle::new((rate, middle), 5, Ink::Dot.color().filled())])?;
        if let Some(said) = bar.said {
            let diamond = Polygon::new(vec![(0, -6), (5, 0), (0, 6), (-5, 0)], Ink::Said.color().filled());
            chart.draw_series([EmptyElement::at((said, middle)) + diamond])?;
        }
        let name = Text::new(shorten(&bar.name, shape.name), (4 - left, -shape.above), text(Ink::Name, HPos::Left));
        chart.draw_series([EmptyElement::at((0.0, middle)) + name])?;
        let count = Text::new(format!("n {}", bar.of), (right - 4, -shape.above), text(Ink::Note, HPos::Right));
        chart.draw_series([EmptyElement::at((1.0, middle)) + count])?;
        marks.push(bar.mark(chart.backend_coord(&(rate, middle)), shape, measure));
        middle -= 1.0;
    }
    Ok(marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_is_a_ground_an_interval_and_a_dot_where_it_was_measured() {
        let bar = |name: &str, rate, said| {
            let share = Interval { rate, low: rate / 2.0, high: 1.0 };
            Bar { name: name.into(), of: 4, share, said }
        };
        let bars = [bar("a", 1.0, None), bar("<b>", 0.5, Some(0.75))];
        let (svg, marks) = draw(&bars, WIDE, Measure::Helped).unwrap();
        assert_eq!(svg.matches("class=\"interval\"").count(), 2);
        assert_eq!(svg.matches("class=\"dot\"").count(), 2);
        assert_eq!(svg.matches("class=\"said\"").count(), 1, "who said nothing has no diamond");
        assert!(svg.contains(">0\u{a0}%<") && svg.contains(">50\u{a0}%<") && svg.contains(">100\u{a0}%<"), "{svg}");
        assert!(svg.contains("&lt;b&gt;") && !svg.contains("<b>"));
        // The scale begins after the names and ends before the counts.
        let x: Vec<i32> =
            svg.split("cx=\"").skip(1).map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect();
        let (begin, end) = (WIDE.left, WIDE.width - WIDE.right);
        assert!(x[0].abs_diff(i32::try_from(end).unwrap()) <= 1, "{x:?}");
        assert!(x[1].abs_diff(i32::try_from(u32::midpoint(begin, end)).unwrap()) <= 1, "{x:?}");
        assert_eq!(marks[1].sentence, "<b>: helped 50\u{a0}% (25–100\u{a0}%), said 75\u{a0}%, 4 counted");
        assert_eq!((marks[0].anchor, marks[0].tip.0), ("end", x[0]));
        // Every row can be pointed at, and no two at once.
        assert_eq!(marks[0].area.1 + marks[0].area.3, marks[1].area.1);
    }
}
