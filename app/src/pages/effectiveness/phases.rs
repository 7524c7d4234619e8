//! Where the time goes: the median of each phase of a recovery, one after the other on one bar. What nobody measured yet is
//! not there.

use crate::components::Section;
use domain::{
    effectiveness::{EffectivenessRow, Percentiles},
    time::human,
};
use leptos::prelude::*;

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
    let segments = segments(&phases);
    let words: Vec<String> = phases.iter().map(|(phase, took)| format!("{phase} {}", human(took.p50))).collect();
    view! {
        <Section title="Where the time goes, median by phase" aside=|| "in brackets: nine of ten were done by then">
            <svg class="phases" role="img" aria-label=format!("Median by phase: {}", words.join(", "))>
                {segments.into_iter().zip(&phases).map(|((x, width), (phase, _))| view! {
                    <rect class=class(phase) x=format!("{x:.2}%") width=format!("{width:.2}%") y="0" height="18" rx="3" />
                }).collect_view()}
            </svg>
            <ul class="phase-key">
                {phases.iter().map(|(phase, took)| view! {
                    <li>
                        <i class=class(phase)></i><span>{phase.clone()}</span>" "
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

fn class(phase: &str) -> &'static str {
    match phase {
        "investigate" => "investigate",
        "decide" => "decide",
        "run" => "run",
        _ => "other",
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
}
