//! Where the time goes: the median of each phase of a recovery, one after the other on one bar. What nobody measured yet is
//! not there.

use crate::components::{
    Section,
    chart::{Canvas, Drawn, Ink, Mark, Marked, drawn},
};
use domain::{
    effectiveness::{EffectivenessRow, Percentiles},
    time::human,
};
use leptos::prelude::*;
use plotters::prelude::{ChartBuilder, Color, Rectangle};

/// Widths of the picture, in CSS pixels: for wide pages and for phones.
const WIDTHS: [(&str, u32); 2] = [("wide", 760), ("narrow", 330)];
/// The bar's height, and with the room below it for what is pointed at.
const BAR: u32 = 18;
const HEIGHT: u32 = 46;

/// The phases of recovery in the order in which they happen.
const ORDER: [&str; 5] = ["detect", "investigate", "decide", "run", "clear"];

/// What is measured of these rows, in the order in which it happens; others last.
pub fn measured<'a>(rows: impl Iterator<Item = &'a EffectivenessRow> + Clone) -> Vec<String> {
    let known = rows.flat_map(|row| row.recovery_ms.keys()).collect::<std::collections::BTreeSet<_>>();
    let ordered =
        ORDER.iter().filter(|phase| known.iter().any(|known| known == *phase)).map(|phase| (*phase).to_owned());
    let others = known.iter().filter(|phase| !ORDER.contains(&phase.as_str())).map(|phase| (*phase).clone());
    ordered.chain(others).collect()
}

/// The bar over all that ended.
#[component]
pub fn Phases(total: EffectivenessRow) -> impl IntoView {
    let phases: Vec<(String, Percentiles)> = measured(std::iter::once(&total))
        .into_iter()
        .filter_map(|phase| Some((phase.clone(), *total.recovery_ms.get(&phase)?)))
        .collect();
    if phases.is_empty() {
        return ().into_any();
    }
    let drawn = WIDTHS.into_iter().filter_map(|(class, width)| Some((class, width, draw(&phases, width).ok()?)));
    let drawn: Vec<_> = drawn.collect();
    view! {
        <Section title="Where the time goes, median by phase" aside=|| "in brackets: nine of ten were done by then">
            {drawn.into_iter().map(|(class, width, (drawing, marks))| {
                view! { <Marked class size=(width, HEIGHT) label="Median by phase; the list below says the same" drawing marks /> }
            }).collect_view()}
            <ul class="phase-key">
                {phases.iter().map(|(phase, took)| view! {
                    <li>
                        <i class=ink(phase).class()></i><span>{phase.clone()}</span>" "
                        <b>{human(took.p50)}</b>" "<span class="sub">{format!("({})", human(took.p90))}</span>
                    </li>
                }).collect_view()}
            </ul>
        </Section>
    }
    .into_any()
}

/// Left edge and width of each segment, percent; every one wide enough to be seen, with a gap between them.
fn segments(phases: &[(String, Percentiles)]) -> Vec<(f64, f64)> {
    const GAP: f64 = 0.3;
    const LEAST: f64 = 1.0;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a recovery")]
    let lengths: Vec<f64> = phases.iter().map(|(_, took)| took.p50.max(0) as f64).collect();
    let sum: f64 = lengths.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "a handful of phases")]
    let room = 100.0 - (GAP + LEAST) * phases.len() as f64 + GAP;
    let mut x = 0.0;
    let mut placed = Vec::new();
    for length in lengths {
        let width = LEAST + if sum > 0.0 { length / sum * room } else { 0.0 };
        placed.push((x, width));
        x += width + GAP;
    }
    placed
}

fn draw(phases: &[(String, Percentiles)], width: u32) -> Drawn<(String, Vec<Mark>)> {
    drawn((width, HEIGHT), |root| onto(root, phases, i32::try_from(width).unwrap_or(0)))
}

fn onto(root: &Canvas<'_>, phases: &[(String, Percentiles)], width: i32) -> Drawn<Vec<Mark>> {
    let [bar, height] = [BAR, HEIGHT].map(|pixels| i32::try_from(pixels).unwrap_or(0));
    let mut chart = ChartBuilder::on(root).margin_bottom(HEIGHT - BAR).build_cartesian_2d(0.0..100.0, 0.0..1.0)?;
    let mut marks = Vec::new();
    for ((from, share), (phase, took)) in segments(phases).into_iter().zip(phases) {
        chart.draw_series([Rectangle::new([(from, 0.0), (from + share, 1.0)], ink(phase).color().filled())])?;
        let (left, right) = (chart.backend_coord(&(from, 0.0)).0, chart.backend_coord(&(from + share, 0.0)).0);
        let (p50, p90) = (human(took.p50), human(took.p90));
        // Below the bar, from the side with less room.
        let (x, anchor) = if left < width / 2 { (left.max(2), "start") } else { (right.min(width - 2), "end") };
        marks.push(Mark {
            area: (left, 0, right - left, bar),
            tip: (x, height - 8),
            anchor,
            numbers: format!("{phase} {p50} ({p90})"),
            sentence: format!("{phase}: {p50} in the median, nine of ten within {p90}"),
        });
    }
    Ok(marks)
}

fn ink(phase: &str) -> Ink {
    match phase {
        "investigate" => Ink::Investigate,
        "decide" => Ink::Decide,
        "run" => Ink::Run,
        "clear" => Ink::Clear,
        _ => Ink::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_fill_the_bar_and_none_is_too_thin_to_see() {
        let phase = |name: &str, p50| (name.to_owned(), Percentiles { p50, p90: p50 * 2 });
        let placed = segments(&[phase("decide", 1_000_000), phase("run", 0)]);
        let (x, width) = placed[1];
        assert!((x + width - 100.0).abs() < 1e-6, "{placed:?}");
        assert!(width >= 1.0 && placed[0].1 > 95.0, "{placed:?}");
        assert!(segments(&[phase("run", 0)])[0].1 >= 1.0, "no division by nothing");
    }
    #[test]
    fn each_phase_is_a_piece_that_says_its_numbers() {
        let phase = |name: &str, p50| (name.to_owned(), Percentiles { p50, p90: p50 * 2 });
        let (svg, marks) = draw(&[phase("decide", 60_000), phase("run", 60_000), phase("clear", 0)], 760).unwrap();
        for class in ["phase-decide", "phase-run", "phase-clear"] {
            assert_eq!(svg.matches(&format!("<rect class=\"{class}\"")).count(), 1, "{class}: {svg}");
        }
        assert_eq!(marks[1].sentence, "run: 1m 00s in the median, nine of ten within 2m 00s");
        assert!(marks[0].area.0 + marks[0].area.2 <= marks[1].area.0, "no two at once");
        assert_eq!((marks[0].anchor, marks[2].anchor), ("start", "end"));
    }
}
