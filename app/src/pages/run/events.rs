//! What happened to a task and when, as far as the cluster told: each try from its queue to its end, with the cluster's reasons, and
//! amid them what Kubernetes warned of.

use super::times::spans;
use crate::{
    components::{Ago, Mark, Tone, absolute},
    error::sentence,
    icon::{Glyph, Icon},
    words::telling,
};
use domain::{
    execution::Task,
    time::{Timestamp, human},
    warning::Warning,
};
use leptos::prelude::*;

/// Something that happened.
struct Event {
    at: Timestamp,
    mark: Option<Mark>,
    word: String,
    note: Option<String>,
    /// How often it was told, and when last, where that was more than once.
    again: Option<(u32, Timestamp)>,
}

/// The list, oldest first. `warnings` are those about the task and those about the whole run.
#[component]
pub fn Events(task: Task, warnings: Vec<Warning>, now: Timestamp) -> impl IntoView {
    let events = events(&task, warnings);
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
                let again = event.again.map(|(count, last)| view! { {format!(" · {count} times, last ")}<Ago at=last now /> });
                view! {
                    <li>
                        <span class=format!("state {}", tone.class())>
                            {event.mark.map(|mark| view! { <Glyph of=mark.icon /> })}{event.word}
                        </span>
                        <span class="sub when" title=absolute(event.at)>
                            {if since == 0 { view! { <Ago at=event.at now /> }.into_any() } else { view! { {format!("+{}", human(since))} }.into_any() }}
                        </span>
                        {event.note.map(|note| view! { <p class="sub note-words">{note}{again}</p> })}
                    </li>
                }
            }).collect_view()}
        </ol>
    }
    .into_any()
}

fn events(task: &Task, warnings: Vec<Warning>) -> Vec<Event> {
    let many = task.attempts.len() > 1;
    let mut all = Vec::new();
    for attempt in &task.attempts {
        let which = if many { format!("Attempt {}: ", attempt.attempt) } else { String::new() };
        for span in spans(attempt) {
            let word = format!("{which}{}", span.phase.word());
            let note = (attempt.running_at == Some(span.from))
                .then(|| attempt.pod.as_ref().map(|pod| format!("in pod {pod}")));
            all.push(Event { at: span.from, mark: None, word: capital(&word), note: note.flatten(), again: None });
        }
        if let Some(at) = attempt.finished_at.filter(|_| attempt.state.ended()) {
            let mark = Mark::from(attempt.state);
            let word = capital(&format!("{which}{}", mark.word.to_lowercase()));
            all.push(Event { at, mark: Some(mark), word, note: telling(attempt.reason.clone()), again: None });
        }
    }
    // What it waits for is told where it was warned of, and what ended it where it ended: once.
    let warned = |text: &str| warnings.iter().any(|warning| warning.message == text);
    let message = task.message.as_deref();
    let message = message.filter(|text| !text.is_empty() && (task.state.ended() || !warned(text)));
    // The task's own word is about its last try.
    if let Some(last) = all.last_mut() {
        let message = message.map(sentence);
        let said: Vec<String> = [last.note.take(), message].into_iter().flatten().collect();
        last.note = (!said.is_empty()).then(|| said.join(" · "));
    }
    all.extend(warnings.into_iter().filter(|warning| Some(warning.message.as_str()) != message).map(Event::from));
    all.sort_by_key(|event| event.at);
    all
}

impl From<Warning> for Event {
    fn from(warning: Warning) -> Self {
        let Warning { kind, object, reason, message, count, first_at, last_at, .. } = warning;
        let note = [sentence(&message), format!("{kind} {object}")].into_iter().filter(|text| !text.is_empty());
        Self {
            at: first_at,
            mark: Some(Mark { word: "Warning", icon: Icon::Warn, tone: Tone::Wait }),
            word: reason,
            note: Some(note.collect::<Vec<_>>().join(" · ")),
            again: (count > 1).then_some((count, last_at)),
        }
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
