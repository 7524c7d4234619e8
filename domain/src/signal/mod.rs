//! A signal: one firing of one alert, from its first word to its resolution. What a word about an alert means beside what is known of it
//! is told here ([`step`]); how words are read from the wire in [`alertmanager`], what its labels mean in [`mapping`]. Pure.

pub mod alertmanager;
pub mod event;
pub mod mapping;

use crate::{
    ids::SignalId,
    recommendation::{ResourceRef, Severity},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// How long after the last word about an alert an older one is taken for late, milliseconds. Two Alertmanagers of one cluster wait for each
/// other 15 s each before they send the same; what comes later than this is no straggler, but news.
pub const LATE_MS: i64 = 30_000;

/// Who told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SignalSource {
    /// An Alertmanager, by its webhook.
    Alertmanager,
    /// Kubernetes, by its Events.
    Kubernetes,
}

impl SignalSource {
    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::Kubernetes => "kubernetes",
        }
    }

    /// The source of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Alertmanager, Self::Kubernetes].into_iter().find(|source| source.name() == name)
    }
}

/// What is known of an alert, as far as its labels say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Facts {
    /// The alert's name, or the reason of the Event.
    pub name: String,
    /// The kind of signal, such as `OOMKilled`.
    pub signal_type: String,
    /// How bad.
    pub severity: Severity,
    /// Where: `production`.
    pub environment: Option<String>,
    /// The object in trouble.
    pub resource: Option<ResourceRef>,
    /// A sentence for people, on one line.
    pub summary: Option<String>,
    /// Where it was told from: the query's page in Prometheus.
    pub link: Option<String>,
    /// Every label, as it came.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub labels: BTreeMap<String, String>,
}

impl Facts {
    /// A line for lists and headings.
    pub fn title(&self) -> String {
        self.summary.clone().unwrap_or_else(|| match &self.resource {
            Some(resource) => format!("{}: {} {}", self.name, resource.kind, resource.name),
            None => self.name.clone(),
        })
    }
}

/// A stored signal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Signal {
    /// Its id.
    pub id: SignalId,
    /// Who told of it.
    pub source: SignalSource,
    /// Which alert: the same labels have the same fingerprint.
    pub fingerprint: String,
    /// When it began, as its source says.
    pub starts_at: Timestamp,
    /// When it was last known to fire.
    pub seen_at: Timestamp,
    /// When it ended; none while it fires.
    pub resolved_at: Option<Timestamp>,
    /// Whether it ended because somebody closed its incident: then nobody said that it is over.
    pub closed: bool,
    /// How often it was told.
    pub count: u32,
    /// What its labels say.
    #[serde(flatten)]
    pub facts: Facts,
}

/// What was told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// It fires. With the time when it last did, where the source tells one: a word that is no newer than the last changes nothing.
    Firing {
        /// When it last fired, by the source's clock.
        seen_at: Option<Timestamp>,
    },
    /// It has ended.
    Resolved {
        /// When, by the source's clock.
        at: Timestamp,
    },
}

/// A word about an alert, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// From whom.
    pub source: SignalSource,
    /// About which alert.
    pub fingerprint: String,
    /// What belongs together with it: [`group`] of what the source says.
    pub group: String,
    /// Since when it fires, by the source's clock. With the fingerprint it names the signal.
    pub starts_at: Timestamp,
    /// What was told.
    pub word: Word,
    /// What its labels say.
    pub facts: Facts,
}

/// What is known of the newest signal of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Last {
    /// Since when it fires or fired.
    pub starts_at: Timestamp,
    /// When something was last told of it, by the database's clock.
    pub told_at: Timestamp,
    /// When it was last known to fire.
    pub seen_at: Timestamp,
    /// Whether it fires.
    pub fires: bool,
}

/// What a word about an alert means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// What is known already: it is counted.
    Again,
    /// Older than what is known, or no news: nothing changes.
    Late,
    /// A new signal. The one before it ends with it, if it still fires: an alert is in one state at a time.
    Begins,
    /// The signal ends.
    Ends,
    /// A signal of which only the end was told.
    BeganAndEnded,
}

/// What a word means beside what is known of its alert. Whoever tells has a clock of its own, which may be set back: an older start is
/// believed, once what was told last is no longer fresh.
pub fn step(last: Option<&Last>, told: &Told, now: Timestamp) -> Step {
    let Some(last) = last else {
        return match told.word {
            Word::Firing { .. } => Step::Begins,
            Word::Resolved { .. } => Step::BeganAndEnded,
        };
    };
    let fresh = now.since(last.told_at) <= LATE_MS;
    let same = told.starts_at == last.starts_at;
    match told.word {
        Word::Firing { seen_at: Some(at) } if at <= last.seen_at => Step::Late,
        Word::Firing { .. } if same && last.fires => Step::Again,
        Word::Firing { .. } if told.starts_at <= last.starts_at && fresh => Step::Late,
        Word::Firing { .. } => Step::Begins,
        Word::Resolved { .. } if same && last.fires => Step::Ends,
        Word::Resolved { .. } if same => Step::Again,
        Word::Resolved { .. } if told.starts_at < last.starts_at => Step::Late,
        Word::Resolved { .. } => Step::BeganAndEnded,
    }
}

/// When a signal ended: what its source says, but neither before it began nor in the future.
pub fn ended_at(said: Timestamp, starts_at: Timestamp, now: Timestamp) -> Timestamp {
    said.max(starts_at).min(now)
}

/// The name of a group or of an alert, made of whatever names it; of one length, so that it can be looked up.
pub fn group(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_402_800_000);

    fn at(seconds: i64) -> Timestamp {
        NOW.plus_ms(seconds * 1000)
    }

    fn told(starts_at: Timestamp, word: Word) -> Told {
        let facts = Facts {
            name: "KubePodCrashLooping".into(),
            signal_type: "CrashLoopBackOff".into(),
            severity: Severity::High,
            environment: None,
            resource: None,
            summary: None,
            link: None,
            labels: BTreeMap::new(),
        };
        let source = SignalSource::Alertmanager;
        Told { source, fingerprint: "f".into(), group: group(&["g"]), starts_at, word, facts }
    }

    const FIRES: Word = Word::Firing { seen_at: None };
    const ENDED: Word = Word::Resolved { at: NOW };

    fn last(starts: i64, told_ago: i64, fires: bool) -> Last {
        Last { starts_at: at(starts), told_at: at(-told_ago), seen_at: at(-told_ago), fires }
    }

    fn after(last: &Last, starts: i64, word: Word) -> Step {
        step(Some(last), &told(at(starts), word), NOW)
    }

    #[test]
    fn the_first_word_may_be_the_last() {
        assert_eq!(step(None, &told(NOW, FIRES), NOW), Step::Begins);
        assert_eq!(step(None, &told(NOW, ENDED), NOW), Step::BeganAndEnded);
    }

    #[test]
    fn the_same_again_is_the_same() {
        let fires = last(-600, 500, true);
        assert_eq!(after(&fires, -600, FIRES), Step::Again);
        assert_eq!(after(&fires, -600, ENDED), Step::Ends);
        assert_eq!(after(&last(-600, 5, false), -600, ENDED), Step::Again);
    }

    #[test]
    fn what_overtook_its_own_beginning_stays_ended() {
        assert_eq!(after(&last(-600, 5, false), -600, FIRES), Step::Late);
        assert_eq!(after(&last(-600, 30, false), -600, FIRES), Step::Late);
        assert_eq!(after(&last(-600, 31, false), -600, FIRES), Step::Begins, "it fires after all");
        assert_eq!(after(&last(-60, 5, true), -600, FIRES), Step::Late);
        assert_eq!(after(&last(-60, 500, true), -600, ENDED), Step::Late, "an older one's end ends no newer one");
    }

    #[test]
    fn a_new_start_is_a_new_signal() {
        for fires in [true, false] {
            assert_eq!(after(&last(-600, 5, fires), -60, FIRES), Step::Begins);
            assert_eq!(after(&last(-600, 5, fires), -60, ENDED), Step::BeganAndEnded);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_is_believed_after_a_while() {
        assert_eq!(after(&last(7200, 40, false), -60, FIRES), Step::Begins);
        assert_eq!(after(&last(7200, 40, true), -60, FIRES), Step::Begins);
    }

    #[test]
    fn an_event_that_is_read_once_more_is_no_news() {
        let seen = |seconds| Word::Firing { seen_at: Some(at(seconds)) };
        let quiet = Last { seen_at: at(-900), ..last(-3600, 300, false) };
        assert_eq!(after(&quiet, -3600, seen(-900)), Step::Late);
        assert_eq!(after(&quiet, -3600, seen(-10)), Step::Begins);
        let fires = Last { fires: true, ..quiet };
        assert_eq!(after(&fires, -3600, seen(-900)), Step::Late);
        assert_eq!(after(&fires, -3600, seen(-10)), Step::Again);
    }

    #[test]
    fn an_end_is_after_its_beginning_and_not_in_the_future() {
        assert_eq!(ended_at(at(-10), at(-60), NOW), at(-10));
        assert_eq!(ended_at(at(-70), at(-60), NOW), at(-60));
        assert_eq!(ended_at(at(70), at(-60), NOW), NOW);
    }

    #[test]
    fn groups_are_told_apart_by_their_parts() {
        assert_ne!(group(&["ab", "c"]), group(&["a", "bc"]));
        assert_eq!(group(&["a"]).len(), 64);
    }

    #[test]
    fn a_title_is_what_people_wrote_or_else_what_is_in_trouble() {
        let mut facts = told(NOW, FIRES).facts;
        assert_eq!(facts.title(), "KubePodCrashLooping");
        facts.resource = Some(ResourceRef { kind: "Pod".into(), namespace: None, name: "web-1".into() });
        assert_eq!(facts.title(), "KubePodCrashLooping: Pod web-1");
        facts.summary = Some("It restarts.".into());
        assert_eq!(facts.title(), "It restarts.");
    }
}
