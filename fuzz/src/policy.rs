//! An approval policy in YAML or JSON, as it is sent and as it lies in its file: whatever is taken is read back from the database as it was, has a
//! rule for each case, and lets nothing of high risk run by itself.

use crate::{Came, kind, refused};
use domain::{
    json::strict::{self, Limits, Unread},
    policy::{Conditions, DEFAULT_YAML, Facts, Grant, MAX_BYTES, Policy, judge, read},
    recommendation::Risk,
    time::Timestamp,
};
use serde_json::Value;

pub const SEEDS: &[&[u8]] = &[DEFAULT_YAML.as_bytes()];

/// Moments at which freezes are asked about, milliseconds: the first of all, a Friday evening, the turn of a year.
const MOMENTS: [i64; 3] = [0, 1_763_748_000_000, 1_767_225_599_999];

/// Conditions that come to something by their length alone: CEL is the server's.
struct ByLength;

impl Conditions for ByLength {
    fn check(&self, condition: &str) -> Option<String> {
        condition.ends_with('?').then(|| "a condition is no question".to_owned())
    }

    fn holds(&self, condition: &str, _: &Facts) -> Result<bool, String> {
        match condition.len() % 3 {
            0 => Ok(true),
            1 => Ok(false),
            _ => Err("it can't be told".to_owned()),
        }
    }
}

pub fn run(input: &[u8]) -> Came {
    let document = match document(input) {
        Ok(document) => document,
        Err(came) => return came,
    };
    let policy = match read(&document, &ByLength) {
        Ok(policy) => policy,
        Err(faults) => return refused(&document, faults.as_slice()),
    };
    let written = serde_json::to_value(&policy).expect("plain data");
    let again: Policy = serde_json::from_value(written).expect("what was stored is read again");
    assert_eq!(again, policy);
    for facts in Facts::samples() {
        for risk in Risk::ALL {
            judged(&policy, &Facts { risk, ..facts.clone() });
        }
    }
    let automatic = policy.rules.iter().any(|rule| rule.grant == Grant::Automatic);
    Came::Taken(kind((policy.rules.len(), policy.groups.len(), policy.freezes.len(), automatic)))
}

/// The text as the service reads it; none where it is no document.
fn document(input: &[u8]) -> Result<Value, Came> {
    let text = std::str::from_utf8(input).map_err(|_| Came::Refused(kind("no text")))?;
    let limits = Limits { bytes: MAX_BYTES, ..Limits::default() };
    if text.len() > limits.bytes {
        return Err(Came::Refused(kind("too long")));
    }
    if text.trim_start().starts_with('{') {
        return strict::parse(input, limits).map_err(|error| Came::Refused(kind(error.code())));
    }
    strict::read(serde_norway::Deserializer::from_str(text), limits).map_err(|unread| match unread {
        Unread::Strict(error) => Came::Refused(kind(error.code())),
        Unread::Format { .. } => Came::Refused(kind("no YAML")),
    })
}

fn judged(policy: &Policy, facts: &Facts) {
    let ruling = judge(policy, 1, facts, &ByLength);
    let terms = &ruling.terms;
    assert!(policy.rules.iter().any(|rule| rule.name == terms.rule), "no rule is for {facts:?}");
    assert!(terms.grant != Grant::Automatic || facts.risk != Risk::High, "a high risk runs by itself");
    assert!(terms.quorum.need > 0 && !ruling.explanation().is_empty());
    assert!(ruling.trouble.is_none() || terms.grant == Grant::Never, "what is broken lets something pass");
    for now in MOMENTS.map(Timestamp::from_millis) {
        match terms.frozen(now) {
            Some((_, until)) => assert!(until > now && terms.freezes_at(now) == Some(now), "it holds, and has begun"),
            None => assert!(terms.freezes_at(now).is_none_or(|at| at > now), "it has begun, and does not hold"),
        }
    }
}
