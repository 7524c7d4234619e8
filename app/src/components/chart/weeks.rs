//! Week by week what was measured: a dot in its Wilson interval. Weeks without data are gaps, not zero.

use super::{
    canvas::{Drawn, drawn},
    mark::{Mark, Marked},
    measure::Measure,
    theme::{Ink, ThemedSvg},
};
use crate::components::day;
use domain::effectiveness::Week;
use leptos::prelude::*;
use plotters::{
    chart::ChartContext,
    coord::types::RangedCoordf64,
    prelude::{Cartesian2d, ChartBuilder, Circle, Color, PathElement},
};

/// A chart from 0 to 100 %, over weeks.
type OverWeeks<'a, 'b> = ChartContext<'a, ThemedSvg<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// The middle of a week's column.
#[expect(clippy::cast_precision_loss, reason = "some dozens of weeks")]
pub const fn at(place: usize) -> f64 {
    place as f64 + 0.5
}

/// Draws intervals, dots and what leads from dot to dot; the places of the dots, each with its week.
pub fn dots<'w>(chart: &mut OverWeeks, weeks: &'w [Week], measure: Measure) -> Drawn<Vec<(&'w Week, (i32, i32))>> {
    let mut before: Option<(f64, f64)> = None;
    for (place, week) in weeks.iter().enumerate() {
        let Some(found) = measure.share(&week.row) else {
            before = None;
            continue;
        };
        let x = at(place);
        chart.draw_series([PathElement::new(vec![(x, found.low), (x, found.high)], Ink::Interval.color())])?;
        if let Some(before) = before {
            chart.draw_series([PathElement::new(vec![before, (x, found.rate)], Ink::Line.color())])?;
        }
        before = Some((x, found.rate));
    }
    let mut placed = Vec::new();
    for (place, week) in weeks.iter().enumerate() {
        let Some(found) = measure.share(&week.row) else { continue };
        chart.draw_series([Circle::new((at(place), found.rate), 4, Ink::Dot.color().filled())])?;
        placed.push((week, chart.backend_coord(&(at(place), found.rate))));
    }
    Ok(placed)
}

/// What a week says where its column is pointed at. The picture is so wide, its columns begin at `left` and are so wide and high.
pub fn mark(week: &Week, x: i32, (width, left): (i32, i32), (column, height): (i32, i32), measure: Measure) -> Mark {
    let numbers = measure.in_numbers(&week.row).unwrap_or_default();
    Mark {
        area: (x - column / 2, 0, column.max(8), height),
        tip: (x.clamp(left, width - 4), 10),
        anchor: if x < width / 3 {
            "start"
        } else if x > width * 2 / 3 {
            "end"
        } else {
            "middle"
        },
        sentence: format!("Week from {}: {} {numbers}", day(week.from), measure.word()),
        numbers,
    }
}

/// The small chart's size, and the room above it for what is pointed at, in CSS pixels.
const SMALL: (u32, u32) = (260, 64);
const ABOVE: i32 = 18;

/// The same, small and without words, for beside a number.
#[component]
pub fn Spark(weeks: Vec<Week>, measure: Measure) -> impl IntoView {
    if weeks.iter().all(|week| measure.share(&week.row).is_none()) {
        return ().into_any();
    }
    let label = format!("Week by week: how often it {}; the table of weeks says the same", measure.word());
    let Ok((drawing, marks)) = spark(&weeks, measure) else { return ().into_any() };
    view! { <Marked class="spark" size=SMALL label drawing marks /> }.into_any()
}

fn spark(weeks: &[Week], measure: Measure) -> Drawn<(String, Vec<Mark>)> {
    let [width, height] = [SMALL.0, SMALL.1].map(|size| i32::try_from(size).unwrap_or(0));
    let (svg, placed) = drawn(SMALL, |root| {
        let end = at(weeks.len()) - 0.5;
        let mut chart =
            ChartBuilder::on(root).margin_top(ABOVE).margin_bottom(6).build_cartesian_2d(0.0..end, 0.0..1.0)?;
        for share in [0.0, 1.0] {
            chart.draw_series([PathElement::new(vec![(0.0, share), (end, share)], Ink::Ground.color())])?;
        }
        dots(&mut chart, weeks, measure)
    })?;
    let column = width / i32::try_from(weeks.len()).unwrap_or(1).max(1);
    let marks = placed.into_iter().map(|(week, (x, _))| mark(week, x, (width, 4), (column, height), measure)).collect();
    Ok((svg, marks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        effectiveness::{Counts, EffectivenessRow},
        time::Timestamp,
    };

    #[test]
    fn each_week_with_data_can_be_pointed_at_and_says_its_numbers() {
        let week = |day: i64, runs: i64| {
            let counts = Counts { runs, succeeded: runs / 2, ..Counts::default() };
            Week { from: Timestamp::from_millis(day * 86_400_000), row: EffectivenessRow::new("week", &counts) }
        };
        let weeks = [week(0, 4), week(7, 0), week(14, 2)];
        let (svg, marks) = spark(&weeks, Measure::WentThrough).unwrap();
        assert_eq!((svg.matches("class=\"dot\"").count(), svg.matches("class=\"line\"").count()), (2, 0));
        assert_eq!(marks.len(), 2);
        assert!(
            marks[1].sentence.starts_with("Week from 1970-01-15: went through 50\u{a0}% ("),
            "{}",
            marks[1].sentence
        );
        assert!(marks[0].area.0 >= 0 && marks[1].area.0 + marks[1].area.2 <= 260);
    }
}
