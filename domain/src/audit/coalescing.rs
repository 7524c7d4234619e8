//! Keeping the trail from being flooded by what strangers can do as often as they like: refused sign-ins, acts without the
//! right. The first is told at once; those like it are counted, and told with their number when their time is over.

use super::AuditEntry;
use crate::{identity::Actor, time::Timestamp};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// So long those like the first are counted, milliseconds.
const COUNTED_FOR_MS: i64 = 10 * 60 * 1000;
/// So many different ones are told apart in that time; of all others only their number is told.
const MOST: usize = 200;

/// What was refused lately.
#[derive(Debug, Default)]
pub struct Coalescing {
    heard: HashMap<[String; 4], Heard>,
    others: Option<Heard>,
}

#[derive(Debug)]
struct Heard {
    entry: AuditEntry,
    since: Timestamp,
    again: u64,
}

impl Coalescing {
    /// A refusal; it comes back when it is to be written now.
    pub fn hear(&mut self, entry: AuditEntry, now: Timestamp) -> Option<AuditEntry> {
        let address = entry.way.address.map(|address| address.to_string()).unwrap_or_default();
        let like = [entry.action.clone(), entry.actor.id.as_str().to_owned(), address, entry.object_id.clone()];
        if let Some(heard) = self.heard.get_mut(&like) {
            heard.again += 1;
            return None;
        }
        if self.heard.len() < MOST {
            self.heard.insert(like, Heard { entry: entry.clone(), since: now, again: 0 });
            return Some(entry);
        }
        let others = || {
            let entry = AuditEntry {
                actor: Actor::system("limits"),
                action: "refusal.others".into(),
                object_kind: "refusal".into(),
                object_id: "others".into(),
                after: None,
                ..entry
            };
            Heard { entry, since: now, again: 0 }
        };
        self.others.get_or_insert_with(others).again += 1;
        None
    }

    /// What is to be written of those whose time is over by now; `all` also of those whose time is not.
    pub fn over(&mut self, now: Timestamp, all: bool) -> Vec<AuditEntry> {
        let over = |heard: &Heard| all || now.since(heard.since) >= COUNTED_FOR_MS;
        let mut told: Vec<Heard> = self.heard.extract_if(|_, heard| over(heard)).map(|(_, heard)| heard).collect();
        told.extend(self.others.take_if(|heard| over(heard)));
        told.retain(|heard| heard.again > 0);
        told.sort_by_key(|heard| heard.since);
        told.into_iter().map(Heard::told).collect()
    }
}

impl Heard {
    /// The same once more, with how often it came again and since when.
    fn told(self) -> AuditEntry {
        let mut after = match self.entry.after {
            Some(Value::Object(members)) => members,
            _ => Map::new(),
        };
        after.insert("again".into(), json!(self.again));
        after.insert("since".into(), json!(self.since));
        AuditEntry { after: Some(Value::Object(after)), ..self.entry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::{Door, Way},
        ids::ActorId,
    };

    fn refusal(actor: &str, object: &str) -> AuditEntry {
        AuditEntry {
            actor: Actor::new(ActorId::new(actor), actor),
            way: Way::by(Door::Api),
            route: "POST /x".into(),
            action: "refusal.right".into(),
            object_kind: "address".into(),
            object_id: object.into(),
            before: None,
            after: Some(json!({ "right": "catalog:write" })),
            reason: None,
            request_id: "r".into(),
        }
    }

    const fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn the_first_is_told_and_those_like_it_are_counted() {
        let mut coalescing = Coalescing::default();
        assert_eq!(coalescing.hear(refusal("a", "/x"), at(0)), Some(refusal("a", "/x")));
        assert_eq!(coalescing.hear(refusal("a", "/x"), at(1)), None);
        assert_eq!(coalescing.hear(refusal("a", "/x"), at(2)), None);
        assert!(coalescing.hear(refusal("a", "/y"), at(2)).is_some(), "another object");
        assert!(coalescing.hear(refusal("b", "/x"), at(2)).is_some(), "somebody else");
        assert!(coalescing.over(at(COUNTED_FOR_MS - 1), false).is_empty());
        let told = coalescing.over(at(COUNTED_FOR_MS), false);
        assert_eq!(told.len(), 1, "what came once was told already: {told:?}");
        assert_eq!(told[0].after, Some(json!({ "right": "catalog:write", "again": 2, "since": at(0) })));
        assert!(coalescing.hear(refusal("a", "/x"), at(COUNTED_FOR_MS)).is_some(), "its time is over: it is told anew");
    }

    #[test]
    fn a_flood_of_different_ones_is_a_number() {
        let mut coalescing = Coalescing::default();
        let written = (0..1000).filter(|n| coalescing.hear(refusal("a", &n.to_string()), at(0)).is_some()).count();
        assert_eq!(written, MOST);
        let told = coalescing.over(at(1), true);
        assert_eq!(told.len(), 1);
        assert_eq!(
            (told[0].action.as_str(), &told[0].after.as_ref().unwrap()["again"]),
            ("refusal.others", &json!(800))
        );
        assert!(coalescing.over(at(1), true).is_empty());
    }
}
