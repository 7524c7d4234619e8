//! Numbers as people read them. Both halves use this, so a text that ticks in the browser reads as the server wrote it.

use domain::{execution::ExecutionState, time::human};

/// How long ago, in one unit: the exact time stands in the tooltip.
pub fn ago(ms: i64) -> String {
    let s = ms.max(0) / 1000;
    match s {
        0..5 => "just now".to_owned(),
        5..60 => format!("{s}s ago"),
        60..3600 => format!("{}m ago", s / 60),
        3600..86_400 => format!("{}h ago", s / 3600),
        _ => format!("{}d ago", s / 86_400),
    }
}

/// How long from now, in two units, after the words `before`; only `over` once it has passed.
pub fn left(ms: i64, before: &str, over: &str) -> String {
    if ms <= 0 {
        return over.to_owned();
    }
    format!("{before}{}", human(ms / 1000 * 1000 + if ms < 1000 { 1000 } else { 0 }))
}

/// A share of one as a whole percentage, with a space that does not break.
pub fn percent(share: f64) -> String {
    format!("{:.0}\u{a0}%", share * 100.0)
}

/// A word of the wire as people write it: `scale_down_replicas` is `Scale down replicas`.
pub fn humane(word: &str) -> String {
    let spaced = word.replace(['_', '-'], " ");
    let mut chars = spaced.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Small numbers as words, for sentences.
pub fn number(n: i64) -> String {
    const WORDS: [&str; 13] =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    usize::try_from(n).ok().and_then(|i| WORDS.get(i)).map_or_else(|| n.to_string(), |word| (*word).to_owned())
}

/// A long name cut in its middle, where names differ least: beginning and end stay. At most `most` characters.
pub fn shorten(name: &str, most: usize) -> String {
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= most || most < 3 {
        return name.to_owned();
    }
    let head = (most - 1).div_ceil(2);
    let tail = most - 1 - head;
    chars[..head].iter().copied().chain(['…']).chain(chars[chars.len() - tail..].iter().copied()).collect()
}

/// What a run came to, said of it afterwards.
pub const fn came_to(state: ExecutionState) -> &'static str {
    match state {
        ExecutionState::Pending | ExecutionState::Running => "goes on",
        ExecutionState::Succeeded => "went through",
        ExecutionState::Failed => "failed",
        ExecutionState::Cancelled => "was cancelled",
        ExecutionState::TimedOut => "timed out",
        ExecutionState::Lost => "was lost",
    }
}

/// The cluster's reasons that say no more than the state beside which they stand.
const ORDINARY: [&str; 11] = [
    "Pending",
    "PipelineRunPending",
    "ContainerCreating",
    "PodInitializing",
    "Started",
    "Running",
    "Succeeded",
    "Completed",
    "Failed",
    "Cancelled",
    "Skipped",
];

/// A reason that is worth reading beside the state.
pub fn telling(reason: Option<String>) -> Option<String> {
    reason.filter(|reason| !reason.is_empty() && !ORDINARY.contains(&reason.as_str()))
}

/// That this console only stands by, and which one acts.
pub fn acts_elsewhere(other: &str) -> String {
    format!("{other} acts. This console serves pages, and takes over within 15 s when that one ends.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_repeats_the_state_is_not_told() {
        assert_eq!(telling(Some("Running".into())), None);
        assert_eq!(telling(Some("ExceededResourceQuota".into())).as_deref(), Some("ExceededResourceQuota"));
        assert_eq!(telling(None), None);
    }

    #[test]
    fn times_are_short_and_never_negative() {
        let cases =
            [(-5, "just now"), (12_000, "12s ago"), (540_000, "9m ago"), (7_200_000, "2h ago"), (90_000_000, "1d ago")];
        for (ms, text) in cases {
            assert_eq!(ago(ms), text);
        }
        assert_eq!(left(684_900, "", "expired"), "11m 24s");
        assert_eq!(left(400, "expires in ", "expired"), "expires in 1s");
        assert_eq!(left(0, "expires in ", "expired"), "expired");
    }

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(shorten("scale-deployment", 16), "scale-deployment");
        assert_eq!(shorten("scale-deployment-a", 16), "scale-de…yment-a");
        assert_eq!(shorten("ä".repeat(9).as_str(), 4), "ää…ä");
    }

    #[test]
    fn percentages_are_whole() {
        assert_eq!(percent(0.914), "91\u{a0}%");
        assert_eq!(percent(1.0), "100\u{a0}%");
    }

    #[test]
    fn words_of_the_wire_become_words() {
        assert_eq!(humane("scale_down_replicas"), "Scale down replicas");
        assert_eq!(humane(""), "");
        assert_eq!((number(3), number(40), number(-1)), ("three".into(), "40".into(), "-1".into()));
    }
}
