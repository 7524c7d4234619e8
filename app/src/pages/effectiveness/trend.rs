//! The trend: week by week what was measured, each as a dot in its Wilson interval. Weeks without data are gaps, not zero.

use crate::{
    components::{
        Section,
        chart::{Canvas, Drawn, Ink, Mark, Marked, Measure, at, dots, drawn, mark},
        day,
    },
    words::percent,
};
use domain::effectiveness::Week;
use leptos::prelude::*;
use plotters::{
    prelude::{ChartBuilder, EmptyElement, IntoFont, LabelAreaPosition, TRANSPARENT, Text},
    style::{
        TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

const WIDE: Shape = Shape { class: "wide", width: 760, height: 210 };
const NARROW: Shape = Shape { class: "narrow", width: 330, height: 190 };
/// Room for the shares at the left and the days below.
const LEFT: u32 = 44;
const BELOW: u32 = 26;
const RIGHT: u32 = 18;

/// In CSS pixels.
#[derive(Clone, Copy, Debug)]
struct Shape {
    class: &'static str,
    width: u32,
    height: u32,
}

/// The chart of these weeks, oldest first; nothing where fewer than two have data.
#[component]
pub fn Trend(weeks: Vec<Week>, measure: Measure) -> impl IntoView {
    if weeks.iter().filter(|week| measure.share(&week.row).is_some()).count() < 2 {
        return ().into_any();
    }
    let heading = format!("Week by week: how often it {}", measure.word());
    let label = format!("{heading}, with 95 % intervals; the table of weeks says the same");
    let drawn: Vec<_> =
        [WIDE, NARROW].into_iter().filter_map(|shape| Some((shape, draw(&weeks, shape, measure).ok()?))).collect();
    view! {
        <Section title=heading>
            {drawn.into_iter().map(|(shape, (drawing, marks))| {
                view! { <Marked class=shape.class size=(shape.width, shape.height) label=label.clone() drawing marks /> }
            }).collect_view()}
            <details class="fold">
                <summary>"The weeks in numbers"</summary>
                <Table weeks=weeks.clone() measure />
            </details>
        </Section>
    }
    .into_any()
}

#[component]
fn Table(weeks: Vec<Week>, measure: Measure) -> impl IntoView {
    view! {
        <table class="grid">
            <caption class="vh">"Week by week"</caption>
            <thead><tr>
                <th scope="col">"Week from"</th><th scope="col" class="num">"Runs"</th>
                <th scope="col">{crate::words::humane(measure.word())}</th>
            </tr></thead>
            <tbody>{weeks.into_iter().rev().map(|week| view! {
                <tr>
                    <th scope="row">{day(week.from)}</th>
                    <td class="num">{week.row.runs}</td>
                    <td>{measure.in_numbers(&week.row).unwrap_or_else(|| "– nothing measured".into())}</td>
                </tr>
            }).collect_view()}</tbody>
        </table>
    }
    .into_any()
}

fn draw(weeks: &[Week], shape: Shape, measure: Measure) -> Drawn<(String, Vec<Mark>)> {
    drawn((shape.width, shape.height), |root| onto(root, weeks, shape, measure))
}

fn onto(root: &Canvas<'_>, weeks: &[Week], shape: Shape, measure: Measure) -> Drawn<Vec<Mark>> {
    let text = |h_pos, v_pos| -> TextStyle<'static> {
        ("sans-serif", 12).into_font().color(&Ink::Note.color()).pos(Pos::new(h_pos, v_pos))
    };
    let mut chart = ChartBuilder::on(root)
        .set_label_area_size(LabelAreaPosition::Left, LEFT)
        .set_label_area_size(LabelAreaPosition::Bottom, BELOW)
        .margin_right(RIGHT)
        .margin_top(14)
        .build_cartesian_2d(0.0..at(weeks.len()) - 0.5, 0.0..1.0)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .y_labels(3)
        .y_label_formatter(&|share| percent(*share))
        .y_label_style(text(HPos::Right, VPos::Center))
        .light_line_style(TRANSPARENT)
        .bold_line_style(Ink::Ground.color())
        .axis_style(TRANSPARENT)
        .draw()?;
    let pixels = |n: u32| i32::try_from(n).unwrap_or(0);
    let (width, height) = (pixels(shape.width), pixels(shape.height - BELOW));
    let column = (width - pixels(LEFT + RIGHT)) / i32::try_from(weeks.len()).unwrap_or(1).max(1);
    let placed = dots(&mut chart, weeks, measure)?;
    let marks =
        placed.into_iter().map(|(week, (x, _))| mark(week, x, (width, pixels(LEFT)), (column, height), measure));
    let marks = marks.collect();
    // First and last day, and one in between where there is room.
    let last = weeks.len() - 1;
    let between = (shape.width > 400 && last > 3).then_some(last / 2);
    for place in [Some(0), between, Some(last)].into_iter().flatten() {
        let Some(week) = weeks.get(place) else { continue };
        let label = Text::new(day(week.from), (0, 16), text(anchor(place, last), VPos::Center));
        chart.draw_series([EmptyElement::at((at(place), 0.0)) + label])?;
    }
    Ok(marks)
}

const fn anchor(place: usize, last: usize) -> HPos {
    match place {
        0 => HPos::Left,
        place if place == last => HPos::Right,
        _ => HPos::Center,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        effectiveness::{Counts, EffectivenessRow},
        time::Timestamp,
    };

    fn week(day: i64, runs: i64, succeeded: i64) -> Week {
        let counts = Counts { runs, succeeded, ..Counts::default() };
        Week { from: Timestamp::from_millis(day * 86_400_000), row: EffectivenessRow::new("week", &counts) }
    }

    #[test]
    fn a_week_without_runs_is_a_gap_and_not_zero() {
        let weeks = [week(0, 4, 4), week(7, 4, 2), week(14, 0, 0), week(21, 4, 3)];
        let (svg, marks) = draw(&weeks, WIDE, Measure::WentThrough).unwrap();
        assert_eq!(svg.matches("class=\"dot\"").count(), 3);
        assert_eq!(svg.matches("class=\"line\"").count(), 1, "nothing leads over a gap");
        assert_eq!(marks.len(), 3);
        assert!(marks[1].sentence.starts_with("Week from 1970-01-08: went through 50\u{a0}%"), "{}", marks[1].sentence);
        assert!(svg.contains("1970-01-01") && svg.contains("1970-01-22"));
    }
}
