//! Times: relative to the server's now, absolute in the tooltip. The clockwork island keeps them up to date; they keep their
//! width while they tick. Who prefers it the other way round gets absolute ones (`preferences`).

use crate::{
    preferences::{Preferences, Times},
    words::{ago, left},
};
use domain::time::{Timestamp, human};
use leptos::prelude::*;

/// An absolute time for people: `2026-11-23 03:00:00 UTC`.
pub fn absolute(at: Timestamp) -> String {
    let text = at.to_string();
    match (text.get(..10), text.get(11..19)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        _ => text,
    }
}

/// The day of a time, in UTC: `2026-11-23`.
pub fn day(at: Timestamp) -> String {
    at.to_string().get(..10).unwrap_or_default().to_owned()
}

/// The clock of a moment that matters, in sight: with its day where that is not today.
#[component]
pub fn At(at: Timestamp, now: Timestamp) -> impl IntoView {
    let text = if day(at) == day(now) { clock(at, now) } else { absolute(at) };
    view! { <time class="at" datetime=at.to_string()>{text}</time> }.into_any()
}

/// An absolute time as short as it can be without doubt: the clock today, day and clock this year, else the day.
fn clock(at: Timestamp, now: Timestamp) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (text, today) = (at.to_string(), now.to_string());
    let part = |range: std::ops::Range<usize>| text.get(range.clone()).zip(today.get(range));
    let same = |range: std::ops::Range<usize>| part(range).is_some_and(|(a, b)| a == b);
    let month = text.get(5..7).and_then(|m| m.parse::<usize>().ok()).and_then(|m| MONTHS.get(m.checked_sub(1)?));
    match (text.get(..10), text.get(8..10), month) {
        _ if same(0..10) => format!("{} UTC", text.get(11..19).unwrap_or_default()),
        (_, Some(day), Some(month)) if same(0..4) => {
            format!("{} {month} {} UTC", day.trim_start_matches('0'), text.get(11..16).unwrap_or_default())
        }
        (Some(day), ..) => day.to_owned(),
        _ => text,
    }
}

/// How long ago something was, or when, as the reader prefers.
#[component]
pub fn Ago(at: Timestamp, now: Timestamp) -> impl IntoView {
    if Preferences::current().times == Times::Absolute {
        let since = at.as_millis().to_string();
        return view! { <time class="tick" datetime=at.to_string() title=ago(now.since(at)) data-since=since data-titled="">{clock(at, now)}</time> }
            .into_any();
    }
    view! {
        <time class="tick" datetime=at.to_string() title=absolute(at) data-since=at.as_millis().to_string()>
            {ago(now.since(at))}
        </time>
    }
    .into_any()
}

/// How long until something happens.
#[component]
pub fn Until(
    at: Timestamp,
    now: Timestamp,
    /// What stands before the time, as long as it has not passed.
    #[prop(optional)]
    before: &'static str,
    /// What it says once it has passed.
    #[prop(default = "expired")]
    over: &'static str,
) -> impl IntoView {
    view! {
        <time
            class="tick"
            role="timer"
            datetime=at.to_string()
            title=absolute(at)
            data-until=at.as_millis().to_string()
            data-before=Some(before).filter(|words| !words.is_empty())
            data-over=over
        >
            {left(at.since(now), before, over)}
        </time>
    }
    .into_any()
}

/// For how long something has been going on, or how long it took once it has ended.
#[component]
pub fn Elapsed(from: Timestamp, to: Option<Timestamp>, now: Timestamp) -> impl IntoView {
    match to {
        Some(to) => {
            let title = format!("{} to {}", absolute(from), absolute(to));
            view! { <span class="tick" title=title>{human(to.since(from))}</span> }.into_any()
        }
        None => view! {
            <span class="tick" title=format!("since {}", absolute(from)) data-elapsed=from.as_millis().to_string()>
                {human(now.since(from) / 1000 * 1000)}
            </span>
        }
        .into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_telling_that_is_not_shown_is_in_the_tooltip() {
        let now = Timestamp::from_millis(1_795_402_800_000);
        let told = |times| {
            Owner::new().with(|| {
                provide_context(Preferences { times, ..Preferences::default() });
                view! { <Ago at=now.plus_ms(-300_000) now /> }.to_html()
            })
        };
        let (relative, by_clock) = (told(Times::Relative), told(Times::Absolute));
        assert!(relative.contains("title=\"2026-11-23 02:55:00 UTC\"") && relative.contains(">5m ago<"), "{relative}");
        assert!(by_clock.contains("title=\"5m ago\"") && by_clock.contains(">02:55:00 UTC<"), "{by_clock}");
        assert!(by_clock.contains("data-titled"), "the tooltip is kept up to date: {by_clock}");
    }

    #[test]
    fn an_absolute_time_is_short_and_without_doubt() {
        let at = |text: &str| Timestamp::parse(text).unwrap_or_default();
        let now = at("2026-11-26T20:00:00.000Z");
        assert_eq!(clock(at("2026-11-26T03:04:05.000Z"), now), "03:04:05 UTC");
        assert_eq!(clock(at("2026-11-06T23:04:05.000Z"), now), "6 Nov 23:04 UTC");
        assert_eq!(clock(at("2025-11-26T03:04:05.000Z"), now), "2025-11-26");
    }
}
