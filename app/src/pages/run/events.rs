//! What happened to a task and when, as far as the cluster told: each try from its queue to its end, with the cluster's reasons.

use super::times::spans;
use crate::{
    components::{Ago, Mark, Tone, absolute},
    error::sentence,
    icon::Glyph,
    words::telling,
};
use domain::{
    execution::Task,
    time::{Timestamp, human},
};
use leptos::prelude::*;

/// Something that happened.
struct Event {
    at: Timestamp,
    mark: Option<Mark>,
    word: String,
    note: Option<String>,
}

/// The list, oldest first.
#[component]
pub fn Events(task: Task, now: Timestamp) -> impl IntoView {
    let events = events(&task);
    if events.is_empty() {
        let words = if task.state.ended() {
            "Nothing happened to it: it never began."
        } else {
            "Nothing has happened to it yet."
        };
        return view! { <p class="nothing sub">{words}</p> }.into_any();
    }
    let first = events[0].at;
    view! {
        <ol class="events">
            {events.into_iter().map(|event| {
                let tone = event.mark.map_or(Tone::Idle, |mark| mark.tone);
                let since = event.at.since(first);
                view! {
                    <li>
                        <span class=format!("state {}", tone.class())>
                            {event.mark.map(|mark| view! { <Glyph of=mark.icon /> })}{event.word}
                        </span>
                        <span class="sub when" title=absolute(event.at)>
                            {if since == 0 { view! { <Ago at=event.at now /> }.into_any() } else { view! { {format!("+{}", human(since))} }.into_any() }}
                        </span>
                        {event.note.map(|note| view! { <p class="sub note-words">{note}</p> })}
                    </li>
                }
            }).collect_view()}
        </ol>
    }
    .into_any()
}

fn events(task: &Task) -> Vec<Event> {
    let many = task.attempts.len() > 1;
    let mut all = Vec::new();
    for attempt in &task.attempts {
        let which = if many { format!("Attempt {}: ", attempt.attempt) } else { String::new() };
        for span in spans(attempt) {
            let word = format!("{which}{}", span.phase.word());
            let note = (attempt.running_at == Some(span.from))
                .then(|| attempt.pod.as_ref().map(|pod| format!("in pod {pod}")));
            all.push(Event { at: span.from, mark: None, word: capital(&word), note: note.flatten() });
        }
        if let Some(at) = attempt.finished_at.filter(|_| attempt.state.ended()) {
            let mark = Mark::from(attempt.state);
            let word = capital(&format!("{which}{}", mark.word.to_lowercase()));
            all.push(Event { at, mark: Some(mark), word, note: telling(attempt.reason.clone()) });
        }
    }
    // The task's own word is about its last try.
    if let Some(last) = all.last_mut() {
        let message = task.message.clone().filter(|text| !text.is_empty()).map(|text| sentence(&text));
        let said: Vec<String> = [last.note.take(), message].into_iter().flatten().collect();
        last.note = (!said.is_empty()).then(|| said.join(" · "));
    }
    all
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
