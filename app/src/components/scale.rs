//! The model's word beside the measurement: a diamond for what it says, a dot in its interval for what happened. Neither
//! stands alone, and no data is not zero.

use super::interval;
use crate::words::percent;
use domain::{effectiveness::EffectivenessRow, stats::Interval};
use leptos::prelude::*;

fn at(share: f64) -> String {
    format!("{:.1}%", share.clamp(0.0, 1.0) * 100.0)
}

/// What was measured, in words: `succeeded in 39 of 43 runs, 91 % (79–97 %)`.
fn measured(row: &EffectivenessRow) -> Option<String> {
    let (rate, low, high) = (row.success_rate?, row.low?, row.high?);
    let interval = format!("{:.0}–{}", low * 100.0, percent(high));
    let runs = if row.runs == 1 { "run" } else { "runs" };
    Some(format!("succeeded in {} of {} {runs}, {} ({interval})", row.succeeded, row.runs, percent(rate)))
}

fn said_words(said: Option<f64>) -> Option<String> {
    said.map(|share| format!("model says {}", percent(share)))
}

/// Both in one short line.
pub fn beside(said: Option<f64>, track: Option<&EffectivenessRow>) -> String {
    beside_lines(said, track).join(", ")
}

/// The model's word and the best measurement there is, two short lines for lists: how often it helped where that was assessed,
/// else how often it went through, and says which.
pub fn beside_lines(said: Option<f64>, track: Option<&EffectivenessRow>) -> [String; 2] {
    let said = said_words(said).unwrap_or_else(|| "by hand".to_owned());
    let measured = track.and_then(best_words);
    [said, measured.unwrap_or_else(|| "no runs yet".to_owned())]
}

/// The best measurement there is, in words that say which it is: help where that was assessed, else whether it went through.
fn best(row: &EffectivenessRow) -> Option<(String, Interval)> {
    let (word, share, n) = match row.help() {
        Some(share) => ("helped", share, row.assessed()),
        None => ("went through", row.success()?, row.runs),
    };
    Some((format!("{word} {} of {n} ({})", percent(share.rate), interval(share)), share))
}

/// The best measurement there is, in words.
pub fn best_words(row: &EffectivenessRow) -> Option<String> {
    best(row).map(|(words, _)| words)
}

/// The model's word beside the best measurement, as picture and words, for lists.
#[component]
pub fn Beside(said: Option<f64>, track: Option<EffectivenessRow>) -> impl IntoView {
    let lines = beside_lines(said, track.as_ref());
    let share = track.as_ref().and_then(best).map(|(_, share)| share);
    view! {
        {picture_of(said, share)}
        {lines.map(|line| view! { <span>{line}</span> }).collect_view()}
    }
    .into_any()
}

/// The picture: a track from 0 to 100 %, the interval, the dot, the diamond. The words beside it say the same. None where there is
/// neither: an empty track would look like zero.
fn picture_of(said: Option<f64>, measured: Option<Interval>) -> Option<AnyView> {
    if said.is_none() && measured.is_none() {
        return None;
    }
    let picture = view! {
        <svg class="scale" aria-hidden="true">
            <line class="ground" x1="0" x2="100%" y1="10" y2="10" />
            {measured.map(|Interval { rate, low, high }| view! {
                <line class="interval" x1=at(low) x2=at(high) y1="10" y2="10" />
                <circle class="dot" cx=at(rate) cy="10" r="5.5" />
            })}
            {said.map(|share| view! {
                <svg class="said" x=at(share) overflow="visible"><path d="M0 3l6 7-6 7-6-7z" /></svg>
            })}
        </svg>
    };
    Some(picture.into_any())
}

/// Picture and legend of a strategy.
#[component]
pub fn Scale(
    /// What the model says, 0–1; none when a person proposed.
    said: Option<f64>,
    /// What was measured; none without runs.
    track: Option<EffectivenessRow>,
    /// Over many strategies, of which none is meant: then nobody said anything.
    #[prop(optional)]
    overall: bool,
) -> impl IntoView {
    let said_text = said_words(said);
    let went = track.as_ref().and_then(measured);
    let few = track.as_ref().is_some_and(|row| row.runs < 10);
    let helped = track.as_ref().and_then(|row| {
        let share = row.help()?;
        let (part, n) = (row.effective, row.assessed());
        Some(format!("helped in {part} of {n} assessed, {} ({})", percent(share.rate), interval(share)))
    });
    // The dot is the best measurement there is, here as in lists; the other one is said beside it.
    let mut measured = [helped, went].into_iter().flatten();
    let (dot, beside) = (measured.next(), measured.next());
    let bracketed = dot.is_some();
    let back = track.as_ref().and_then(|row| row.recurrence_rate);
    view! {
        {picture_of(said, track.as_ref().and_then(best).map(|(_, share)| share))}
        <ul class="legend">
            {match said_text {
                Some(text) => view! { <li><span aria-hidden="true">"◇ "</span>{text}</li> }.into_any(),
                None => (!overall).then(|| view! { <li>"proposed by hand, no confidence given"</li> }).into_any(),
            }}
            {match dot {
                Some(text) => view! { <li><span class="dot" aria-hidden="true">"● "</span>{text}</li> }.into_any(),
                None => view! { <li>"no runs yet, nothing measured"</li> }.into_any(),
            }}
            {few.then(|| view! { <li>"too few runs to tell"</li> })}
            {bracketed.then(|| view! { <li>"in brackets: the true share lies there, with 95 % confidence"</li> })}
            {beside.map(|text| view! { <li>{text}</li> })}
            {back.map(|share| view! { <li>{format!("came back within a day: {}", percent(share))}</li> })}
        </ul>
    }
    .into_any()
}

/// The picture alone, where the words stand beside it.
#[component]
pub fn ScaleLine(said: Option<f64>, track: Option<EffectivenessRow>) -> impl IntoView {
    let share = track.as_ref().and_then(best).map(|(_, share)| share);
    picture_of(said, share)
}

/// A measurement alone, for lists of playbooks: the picture, and in words what was measured.
#[component]
pub fn Measured(track: Option<EffectivenessRow>) -> impl IntoView {
    match track.as_ref().and_then(best) {
        Some((words, share)) => view! {
            <span class="measured">{picture_of(None, Some(share))}<span class="sub">{words}</span></span>
        }
        .into_any(),
        None => view! { <span class="sub">"no runs yet"</span> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::effectiveness::Counts;

    fn row(succeeded: i64, runs: i64) -> EffectivenessRow {
        EffectivenessRow::new("x", &Counts { runs, succeeded, ..Counts::default() })
    }

    #[test]
    fn no_runs_is_never_zero_percent() {
        assert_eq!(beside(Some(0.85), None), "model says 85\u{a0}%, no runs yet");
        assert_eq!(beside_lines(Some(0.85), None), ["model says 85\u{a0}%", "no runs yet"]);
        assert_eq!(beside_lines(Some(0.85), Some(&row(0, 0))), ["model says 85\u{a0}%", "no runs yet"]);
        assert_eq!(beside_lines(None, Some(&row(0, 3))), ["by hand", "went through 0\u{a0}% of 3 (0–56\u{a0}%)"]);
        assert_eq!(measured(&row(0, 0)), None);
        assert!(picture_of(None, None).is_none());
    }

    #[test]
    fn a_run_that_went_through_is_not_said_to_have_helped() {
        let counts = Counts { runs: 43, succeeded: 39, effective: 10, ineffective: 10, ..Counts::default() };
        let track = EffectivenessRow::new("x", &counts);
        assert_eq!(beside_lines(Some(0.9), Some(&track))[1], "helped 50\u{a0}% of 20 (30–70\u{a0}%)");
        assert!(beside_lines(Some(0.9), Some(&row(39, 43)))[1].starts_with("went through 91"));
    }

    #[test]
    fn a_measurement_tells_its_size_and_interval() {
        assert_eq!(measured(&row(39, 43)).unwrap(), "succeeded in 39 of 43 runs, 91\u{a0}% (78–96\u{a0}%)");
    }
}
