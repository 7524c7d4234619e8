//! Calibration: whether a model's word holds. For each model a picture of what it said against how many of these runs helped, with the
//! line on which both are equal; and the same in numbers.

use super::Asked;
use crate::{
    components::{
        Section, TableBox,
        chart::{Canvas, Drawn, Ink, Mark, Marked, drawn},
    },
    words::percent,
};
use domain::effectiveness::calibration::{Calibration, CalibrationBin};
use leptos::prelude::*;
use plotters::{
    prelude::{ChartBuilder, Circle, Color, IntoFont, LabelAreaPosition, PathElement, TRANSPARENT},
    style::{
        TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

/// Class, width and height of the picture, in CSS pixels: for wide pages and for phones.
const SHAPES: [(&str, (u32, u32)); 2] = [("wide", (480, 260)), ("narrow", (330, 240))];
/// Room for the shares at the left and below.
const LEFT: u32 = 44;
const BELOW: u32 = 28;
/// Models that get a picture, the most run first; the table has all of them.
const MOST: usize = 4;

/// The section; nothing where no model's word was put to the test.
#[component]
pub fn Calibrated(models: Vec<Calibration>, asked: Asked) -> impl IntoView {
    let mut models = models;
    if models.is_empty() {
        return ().into_any();
    }
    models.sort_by(|a, b| b.runs.cmp(&a.runs).then_with(|| a.model.cmp(&b.model)));
    let aside = if models.len() > MOST { format!("the {MOST} most run of {}", models.len()) } else { String::new() };
    let csv = asked.csv("calibration");
    view! {
        <Section title="Does the models' word hold?" aside=move || aside.clone()>
            <p class="sub">
                "A model that is 80 % sure should help about eight times in ten. Each dot is a tenth of what it said: on the line its word holds, "
                "below it promises too much. The Brier score sums that up: 0 is perfect, 0.25 is what always saying 50 % would get. Only runs count whose effect could be told."
            </p>
            <div class="halves charts">
                {models.iter().take(MOST).map(|model| view! { <Picture model=model.clone() /> }).collect_view()}
            </div>
            <details class="fold">
                <summary>"The same in numbers"</summary>
                <Table models />
                <p><a href=csv download="calibration.csv">"As CSV"</a></p>
            </details>
        </Section>
    }
    .into_any()
}

#[component]
fn Picture(model: Calibration) -> impl IntoView {
    let label = format!("{}: what it said, and how many helped; the table below says the same", model.model);
    let drawn: Vec<_> =
        SHAPES.into_iter().filter_map(|(class, size)| Some((class, size, draw(&model.bins, size).ok()?))).collect();
    view! {
        <figure class="calibration">
            <figcaption><code>{model.model.clone()}</code>" "<span class="sub">{in_short(&model)}</span></figcaption>
            {drawn.into_iter().map(|(class, size, (drawing, marks))| {
                view! { <Marked class size label=label.clone() drawing marks /> }
            }).collect_view()}
        </figure>
    }
    .into_any()
}

fn in_short(model: &Calibration) -> String {
    format!("Brier score {:.3} of {} runs", model.brier, model.runs)
}

#[component]
fn Table(models: Vec<Calibration>) -> impl IntoView {
    view! {
        <TableBox label="What models said against what came of it">
            <table class="grid effectiveness">
                <caption class="vh">"What models said against what came of it"</caption>
                <thead><tr>
                    <th scope="col">"Model"</th><th scope="col">"Said"</th><th scope="col" class="num">"Said on average"</th>
                    <th scope="col">"Helped, 95 %"</th><th scope="col" class="num">"Runs"</th><th scope="col" class="num">"Brier score"</th>
                </tr></thead>
                <tbody>{models.into_iter().flat_map(|model| {
                    let brier = format!("{:.3} of {}", model.brier, model.runs);
                    let name = model.model.clone();
                    model.bins.into_iter().map(move |bin| view! { <Row name=name.clone() bin brier=brier.clone() /> })
                }).collect_view()}</tbody>
            </table>
        </TableBox>
    }
    .into_any()
}

#[component]
fn Row(name: String, bin: CalibrationBin, brier: String) -> impl IntoView {
    let CalibrationBin { from, to, runs, helped: _, said, measured } = bin;
    view! {
        <tr>
            <th scope="row"><code>{name}</code></th>
            <td>{format!("{:.0}–{}", from * 100.0, percent(to))}</td>
            <td class="num">{percent(said)}</td>
            <td>{format!("{} ({:.0}–{})", percent(measured.rate), measured.low * 100.0, percent(measured.high))}</td>
            <td class="num">{runs}</td>
            <td class="num">{brier}</td>
        </tr>
    }
    .into_any()
}

fn draw(bins: &[CalibrationBin], size: (u32, u32)) -> Drawn<(String, Vec<Mark>)> {
    drawn(size, |root| onto(root, bins, size))
}

fn onto(root: &Canvas<'_>, bins: &[CalibrationBin], size: (u32, u32)) -> Drawn<Vec<Mark>> {
    let text = |h_pos, v_pos| -> TextStyle<'static> {
        ("sans-serif", 12).into_font().color(&Ink::Note.color()).pos(Pos::new(h_pos, v_pos))
    };
    let mut chart = ChartBuilder::on(root)
        .set_label_area_size(LabelAreaPosition::Left, LEFT)
        .set_label_area_size(LabelAreaPosition::Bottom, BELOW)
        .margin_right(18)
        .margin_top(14)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(3)
        .y_labels(3)
        .x_label_formatter(&|share| percent(*share))
        .y_label_formatter(&|share| percent(*share))
        .x_label_style(text(HPos::Center, VPos::Center))
        .y_label_style(text(HPos::Right, VPos::Center))
        .light_line_style(TRANSPARENT)
        .bold_line_style(Ink::Ground.color())
        .axis_style(TRANSPARENT)
        .draw()?;
    chart.draw_series([PathElement::new(vec![(0.0, 0.0), (1.0, 1.0)], Ink::Ground.color())])?;
    let pixels = |n: u32| i32::try_from(n).unwrap_or(0);
    let (width, height) = (pixels(size.0), pixels(size.1.saturating_sub(BELOW)));
    let column = (width - pixels(LEFT)) / 10;
    let mut marks = Vec::new();
    for bin in bins {
        let measured = bin.measured;
        chart.draw_series([PathElement::new(
            vec![(bin.said, measured.low), (bin.said, measured.high)],
            Ink::Interval.color(),
        )])?;
        chart.draw_series([Circle::new((bin.said, measured.rate), 5, Ink::Dot.color().filled())])?;
        let (x, y) = chart.backend_coord(&(bin.said, measured.rate));
        let numbers = format!("said {}, helped {} of {}", percent(bin.said), percent(measured.rate), bin.runs);
        marks.push(Mark {
            area: (x - column / 2, 0, column, height),
            tip: (x.clamp(8, width - 8), (y - 14).max(12)),
            anchor: if x < width / 2 { "start" } else { "end" },
            sentence: format!("{numbers}, 95 % interval {:.0} to {}", measured.low * 100.0, percent(measured.high)),
            numbers,
        });
    }
    Ok(marks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::effectiveness::calibration::{BinCounts, calibration};

    #[test]
    fn each_bin_is_a_dot_in_its_interval_beside_the_line_of_equals() {
        let two = BinCounts::one(850, true).plus(BinCounts::one(850, false));
        let model = calibration("m", &[(2, BinCounts::one(250, false)), (8, two)]).unwrap();
        for (_, size) in SHAPES {
            let (svg, marks) = draw(&model.bins, size).unwrap();
            assert_eq!(svg.matches("class=\"dot\"").count(), 2, "{svg}");
            assert_eq!(svg.matches("class=\"interval\"").count(), 2);
            assert!(svg.contains("class=\"ground\""));
            assert_eq!(marks[1].numbers, "said 85\u{a0}%, helped 50\u{a0}% of 2");
            assert!(marks[0].area.0 + marks[0].area.2 <= marks[1].area.0, "no two at once");
        }
        assert_eq!(in_short(&model), format!("Brier score {:.3} of 3 runs", model.brier));
    }
}
