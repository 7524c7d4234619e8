//! Whose turn it is, told from a Lease (`coordination.k8s.io/v1`). Pure: what to do next follows from the Lease as it was read and from
//! this process's own monotonic clock. Whether a holder is still there is told by its Lease changing, never by comparing the clocks
//! of two machines (`safety.md`, "leases by the monotonic clock").

use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// A Lease that nobody renewed for this long may be taken.
pub const DURATION: Duration = Duration::from_secs(10);
/// How often it is renewed, and how often who waits for it looks.
pub const EVERY: Duration = Duration::from_secs(2);
/// A holder that could not renew for this long stops acting, well before anybody may take it.
pub const DEADLINE: Duration = Duration::from_secs(7);

/// What a candidate does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// There is no Lease: make it.
    Create,
    /// Nobody holds it, or whoever did is gone: take it.
    Take,
    /// Somebody holds it.
    Wait {
        /// Who.
        holder: String,
        /// It was seen to change: whoever that is, is there.
        renewed: bool,
    },
}

/// A replica that waits for its turn.
pub struct Candidate {
    me: String,
    /// The Lease's resourceVersion, since when it has been that, and whether it was another before.
    seen: Option<(String, Instant, bool)>,
}

impl Candidate {
    /// Of this name, which no other replica may have.
    pub fn new(me: &str) -> Self {
        Self { me: me.to_owned(), seen: None }
    }

    /// What follows from the Lease as it is now; none where it is not there.
    pub fn look(&mut self, lease: Option<&Value>, now: Instant) -> Move {
        let Some(lease) = lease else {
            self.seen = None;
            return Move::Create;
        };
        let holder = holder(lease);
        // A reply that was lost: it is ours already.
        if holder.is_empty() || holder == self.me {
            return Move::Take;
        }
        let version = lease["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        let (since, renewed) = match &self.seen {
            Some((seen, since, renewed)) if seen == version => (*since, *renewed),
            before => {
                let renewed = before.is_some();
                self.seen = Some((version.to_owned(), now, renewed));
                (now, renewed)
            }
        };
        if now.duration_since(since) >= DURATION {
            Move::Take
        } else {
            Move::Wait { holder: holder.to_owned(), renewed }
        }
    }
}

/// Who holds it; empty where it was given back.
pub fn holder(lease: &Value) -> &str {
    lease["spec"]["holderIdentity"].as_str().unwrap_or_default()
}

/// The spec of a Lease that is taken; `now` is for people who read it.
pub fn taken(me: &str, now: &str, before: Option<&Value>) -> Value {
    let transitions = before.map_or(0, |lease| lease["spec"]["leaseTransitions"].as_i64().unwrap_or_default() + 1);
    json!({
        "holderIdentity": me,
        "leaseDurationSeconds": DURATION.as_secs(),
        "acquireTime": now,
        "renewTime": now,
        "leaseTransitions": transitions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(holder: &str, version: u32) -> Value {
        json!({ "metadata": { "resourceVersion": version.to_string() }, "spec": { "holderIdentity": holder } })
    }

    #[test]
    fn a_free_lease_is_taken_and_a_held_one_is_waited_for() {
        let mut me = Candidate::new("a");
        let now = Instant::now();
        assert_eq!(me.look(None, now), Move::Create);
        assert_eq!(me.look(Some(&lease("", 1)), now), Move::Take);
        assert_eq!(me.look(Some(&lease("a", 1)), now), Move::Take);
        assert_eq!(me.look(Some(&lease("b", 1)), now), Move::Wait { holder: "b".into(), renewed: false });
    }

    #[test]
    fn only_a_lease_that_did_not_change_for_its_whole_time_is_taken_from_somebody() {
        let mut me = Candidate::new("a");
        let start = Instant::now();
        let wait = Move::Wait { holder: "b".into(), renewed: false };
        assert_eq!(me.look(Some(&lease("b", 1)), start), wait);
        assert_eq!(me.look(Some(&lease("b", 1)), start + DURATION - Duration::from_millis(1)), wait);
        // It was renewed: its time begins anew, whatever the clocks of others say.
        let wait = Move::Wait { holder: "b".into(), renewed: true };
        assert_eq!(me.look(Some(&lease("b", 2)), start + DURATION), wait);
        assert_eq!(me.look(Some(&lease("b", 2)), start + DURATION * 2 - Duration::from_millis(1)), wait);
        assert_eq!(me.look(Some(&lease("b", 2)), start + DURATION * 2), Move::Take);
    }

    #[test]
    fn who_acts_stops_before_anybody_may_take_over_and_a_takeover_is_within_fifteen_seconds() {
        assert!(DEADLINE < DURATION);
        assert!(DURATION + EVERY < Duration::from_secs(15));
    }

    #[test]
    fn transitions_are_counted() {
        assert_eq!(taken("a", "t", None)["leaseTransitions"], 0);
        let before = json!({ "spec": { "leaseTransitions": 3 } });
        assert_eq!(taken("a", "t", Some(&before))["leaseTransitions"], 4);
    }
}
