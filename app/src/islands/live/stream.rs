//! The stream itself: the server's live events as they come. Knows nothing of other tabs.

use super::channel::{Event, Said};
use serde::Deserialize;
use std::rc::Rc;
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{EventSource, MessageEvent};

/// The names of what is on the stream.
const NAMES: [&str; 8] =
    ["snapshot", "alive", "recommendation", "execution", "task", "playbook", "finding", "incident"];

/// An open stream; closed when dropped.
pub struct Stream {
    source: EventSource,
    _hear: Vec<Closure<dyn FnMut(MessageEvent)>>,
    _lost: Closure<dyn FnMut()>,
}

impl Stream {
    /// Opens it after this event; `hear` is told what comes, and that it is lost each time it is.
    pub fn open(after: i64, hear: impl Fn(Said) + 'static) -> Option<Self> {
        // When the browser connects again by itself, it says where it was by Last-Event-ID, which goes before `after`.
        let source = EventSource::new(&format!("/api/v1/events?alive=true&after={after}")).ok()?;
        let hear = Rc::new(hear);
        let listeners = NAMES.map(|name| {
            let hear = Rc::clone(&hear);
            let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                if let Some(said) = read(name, &event) {
                    hear(said);
                }
            });
            let _ = source.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
            listener
        });
        let lost = Closure::<dyn FnMut()>::new(move || hear(Said::Lost));
        source.set_onerror(Some(lost.as_ref().unchecked_ref()));
        Some(Self { source, _hear: listeners.into(), _lost: lost })
    }

    /// Whether the browser has given up: the server refused.
    pub fn given_up(&self) -> bool {
        self.source.ready_state() == EventSource::CLOSED
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.set_onerror(None);
        self.source.close();
    }
}

#[derive(Deserialize)]
struct Snapshot {
    last_event_id: i64,
    resumed: bool,
}

#[derive(Deserialize)]
struct Delta {
    subject: String,
    #[serde(default)]
    data: Written,
}

/// What a task's event tells when lines were written.
#[derive(Default, Deserialize)]
struct Written {
    task: Option<String>,
    lines: Option<i64>,
}

fn read(name: &str, event: &MessageEvent) -> Option<Said> {
    let data = event.data().as_string()?;
    match name {
        "alive" => Some(Said::Alive),
        "snapshot" => {
            let snapshot: Snapshot = serde_json::from_str(&data).ok()?;
            Some(Said::Begins(snapshot.last_event_id, snapshot.resumed))
        }
        _ => {
            let Delta { subject, data } = serde_json::from_str(&data).ok()?;
            let (topic, subject) = match data {
                Written { task: Some(task), lines: Some(_) } if name == "task" => ("log", format!("{subject}/{task}")),
                _ => (name, subject),
            };
            Some(Said::Event(Event { id: event.last_event_id().parse().ok()?, topic: topic.to_owned(), subject }))
        }
    }
}
