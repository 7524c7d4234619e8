//! Reading a policy that somebody wrote: every fault in one pass, each at its place. The document comes from YAML, a file or a
//! program; all of them are JSON by the time they get here.

use super::{
    Concurrency, Conditions, Count, Freeze, Grant, Match, Measured, Moment, Policy, Quorum, Range, Rule, Window,
    role_of, whole::whole,
};
use crate::{
    accounts::MAX_NAME,
    duration,
    fault::{Complaint, Faults, code},
    json::pointer::join,
    reader::{self, ObjectReader, quoted},
    recommendation::{Risk, Severity},
    recovery::Recovery,
    time::Timestamp,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// The most bytes of a policy's text.
pub const MAX_BYTES: usize = 64 * 1024;
/// The most rules, groups, freezes.
const MOST_PARTS: usize = 100;
/// The most words in a list of a rule, and members of a group.
const MOST_WORDS: usize = 100;
/// Characters of a name.
const NAME: usize = 63;
/// Characters of a pattern.
const PATTERN: usize = 128;
/// Characters of a condition.
const CONDITION: usize = 500;
/// The most people that may be asked for.
const MOST_APPROVALS: i64 = 10;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

const SEVERITIES: &[(&str, Severity)] = &[
    ("info", Severity::Info),
    ("low", Severity::Low),
    ("medium", Severity::Medium),
    ("high", Severity::High),
    ("critical", Severity::Critical),
];

const ORIGINS: &[(&str, &str)] = &[
    ("model", "model"),
    ("hand", "hand"),
    ("cluster", "cluster"),
    ("rollback", "rollback"),
    ("retry", "retry"),
    ("next_strategy", "next_strategy"),
];

/// Reads a policy.
///
/// # Errors
/// Every fault at once, with pointers into `document`.
pub fn read(document: &Value, conditions: &dyn Conditions) -> Result<Policy, Faults> {
    let mut faults = Faults::new();
    let mut object = ObjectReader::new(document, "", &mut faults);
    let name = object.required("name", name);
    let description = object.optional("description", reader::paragraphs(0..=1024));
    let activation = object.optional("activation", activation);
    let groups = object.optional("groups", groups);
    let freezes = object.optional("freezes", reader::array(0..=MOST_PARTS, freeze));
    let rules = object.required(
        "rules",
        reader::array(1..=MOST_PARTS, |value, pointer, faults| rule(value, pointer, faults, conditions)),
    );
    object.finish();
    let (Some(name), Some(rules)) = (name, rules) else { return Err(faults) };
    let policy = Policy {
        name,
        description,
        activation: activation.unwrap_or(1),
        groups: groups.unwrap_or_default(),
        freezes: freezes.unwrap_or_default(),
        rules,
    };
    // Places are counted in lists from which faulty items are left out, so the whole is looked at only when there are none.
    if faults.is_empty() {
        whole(&policy, &mut faults);
    }
    faults.into_result(policy)
}

/// A name that is read in lists and written in addresses.
fn name(value: &Value, pointer: &str, faults: &mut Faults) -> Option<String> {
    let name = reader::line(1..=NAME)(value, pointer, faults)?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.chars().all(plain) && !name.starts_with('-') && !name.ends_with('-') {
        return Some(name);
    }
    let message = "use lower-case letters, digits and inner hyphens";
    reader::refuse(Complaint::new(code::MALFORMED, message), pointer, faults)
}

fn activation(value: &Value, pointer: &str, faults: &mut Faults) -> Option<u32> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let approvals = object.required("approvals", reader::integer(1..=MOST_APPROVALS));
    object.finish();
    approvals.and_then(|number| u32::try_from(number).ok())
}

fn groups(value: &Value, pointer: &str, faults: &mut Faults) -> Option<BTreeMap<String, Vec<String>>> {
    let Some(members) = value.as_object() else {
        return reader::wrong_type(value, pointer, faults, "an object {…}");
    };
    if members.len() > MOST_PARTS {
        faults.add(pointer, code::TOO_MANY, format!("{} groups, at most {MOST_PARTS}", members.len()));
    }
    let mut groups = BTreeMap::new();
    for (group, value) in members.iter().take(MOST_PARTS) {
        let here = join(pointer, group);
        let named = name(&Value::from(group.as_str()), &here, faults);
        let members = reader::array(1..=MOST_WORDS, member)(value, &here, faults);
        groups.extend(named.zip(members));
    }
    Some(groups)
}

fn member(value: &Value, pointer: &str, faults: &mut Faults) -> Option<String> {
    let member = reader::line(1..=MAX_NAME)(value, pointer, faults)?;
    match role_of(&member) {
        Some(Err(unknown)) => reader::refuse(Complaint::new(code::NOT_ALLOWED, unknown.to_string()), pointer, faults),
        _ => Some(member),
    }
}

fn freeze(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Freeze> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let name = object.required("name", name);
    let weekly = object.optional("weekly", weekly);
    let once = object.optional("once", once);
    let (is_weekly, is_once) = (object.has("weekly"), object.has("once"));
    if is_weekly == is_once {
        object.fault_here(Complaint::new(code::REQUIRED, "give either weekly or once, with from and to"));
    }
    object.finish();
    Some(Freeze { name: name?, window: weekly.or(once)? })
}

fn weekly(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Window> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let from = object.required("from", reader::parsed::<Moment>());
    let to = object.required("to", reader::parsed::<Moment>());
    if from.is_some() && from == to {
        object.fault("to", Complaint::new(code::OUT_OF_RANGE, "end it at another time than it begins"));
    }
    object.finish();
    Some(Window::Weekly { from: from?, to: to? })
}

fn once(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Window> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let from = object.required("from", reader::parsed::<Timestamp>());
    let to = object.required("to", reader::parsed::<Timestamp>());
    if from.zip(to).is_some_and(|(from, to)| to <= from) {
        object.fault("to", Complaint::new(code::OUT_OF_RANGE, "end it after it begins"));
    }
    object.finish();
    Some(Window::Once { from: from?, to: to? })
}

fn rule(value: &Value, pointer: &str, faults: &mut Faults, conditions: &dyn Conditions) -> Option<Rule> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let name = object.required("name", name);
    let why = object.optional("why", reader::line(1..=500));
    let fits = object.optional("match", |value, pointer, faults: &mut Faults| fits(value, pointer, faults, conditions));
    let grant = object.optional("grant", reader::one_of(Grant::WORDS)).unwrap_or_default();
    let approvals = object.optional("approvals", quorum);
    let expires_ms = object.optional("expires", lasting(MINUTE_MS, DAY_MS));
    let freeze = object.optional("freeze", one_or_more(reader::line(1..=NAME)));
    let cool_down = object.optional("cool_down", lasting(1000, 7 * DAY_MS));
    let one_at_a_time = object.optional("one_at_a_time", reader::boolean());
    let require_signature = object.optional("require_signature", reader::boolean());
    let recovery = object.optional("recovery", reader::one_of(Recovery::WORDS));
    match grant {
        Grant::People if !object.has("approvals") => {
            object.fault("approvals", Complaint::new(code::REQUIRED, "say how many must approve: approvals: 1"));
        }
        Grant::Never => {
            for name in
                ["approvals", "expires", "freeze", "cool_down", "one_at_a_time", "require_signature", "recovery"]
            {
                if object.has(name) {
                    let message = format!("leave {name} out: what nobody can approve never runs");
                    object.fault(name, Complaint::new(code::NOT_ALLOWED, message));
                }
            }
        }
        _ => {}
    }
    object.finish();
    Some(Rule {
        name: name?,
        why,
        fits: fits.unwrap_or_default(),
        grant,
        approvals: approvals.unwrap_or_else(|| Quorum::people(1)),
        expires_ms,
        freeze: freeze.unwrap_or_default(),
        guard: Concurrency {
            cool_down_ms: cool_down.unwrap_or(0),
            one_at_a_time: one_at_a_time.unwrap_or(false) || cool_down.is_some(),
        },
        require_signature: require_signature.unwrap_or(false),
        recovery: recovery.unwrap_or_default(),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "readers answer an option, so that all are used alike")]
fn fits(value: &Value, pointer: &str, faults: &mut Faults, conditions: &dyn Conditions) -> Option<Match> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let mut patterns = |name| object.optional(name, one_or_more(reader::line(1..=PATTERN))).unwrap_or_default();
    let (cluster, environment) = (patterns("cluster"), patterns("environment"));
    let (namespace, playbook) = (patterns("namespace"), patterns("playbook"));
    let action_type = patterns("action_type");
    let fits = Match {
        cluster,
        environment,
        namespace,
        severity: object.optional("severity", one_or_more(reader::one_of(SEVERITIES))).unwrap_or_default(),
        risk: object.optional("risk", one_or_more(reader::one_of(Risk::WORDS))).unwrap_or_default(),
        playbook,
        action_type,
        origin: words(object.optional("origin", one_or_more(reader::one_of(ORIGINS)))),
        confidence: object.optional("confidence", range),
        measured_success: object.optional("measured_success", measured),
        signed: object.optional("signed", reader::boolean()),
        when: object
            .optional("when", |value, pointer, faults: &mut Faults| condition(value, pointer, faults, conditions)),
    };
    object.finish();
    Some(fits)
}

fn words(of: Option<Vec<&str>>) -> Vec<String> {
    of.into_iter().flatten().map(str::to_owned).collect()
}

fn condition(value: &Value, pointer: &str, faults: &mut Faults, conditions: &dyn Conditions) -> Option<String> {
    let text = reader::paragraphs(1..=CONDITION)(value, pointer, faults)?;
    let text = text.trim().to_owned();
    match conditions.check(&text) {
        None => Some(text),
        Some(wrong) => reader::refuse(Complaint::new("condition", wrong), pointer, faults),
    }
}

fn range(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Range> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let range = bounds(&mut object);
    object.finish();
    range
}

fn measured(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Measured> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let rate = bounds(&mut object);
    let runs = object.required("runs", reader::integer(1..=1_000_000));
    object.finish();
    Some(Measured { rate: rate?, runs: u32::try_from(runs?).ok()? })
}

fn bounds(object: &mut ObjectReader<'_, '_>) -> Option<Range> {
    let at_least = object.optional("at_least", reader::number(0.0..=1.0));
    let below = object.optional("below", reader::number(0.0..=1.0));
    if !object.has("at_least") && !object.has("below") {
        object.fault_here(Complaint::new(code::REQUIRED, "give at_least, below or both, from 0 to 1"));
        return None;
    }
    if at_least.zip(below).is_some_and(|(least, end)| end <= least) {
        object.fault("below", Complaint::new(code::OUT_OF_RANGE, "choose below greater than at_least"));
    }
    Some(Range { at_least, below })
}

/// A number of people, or all that can be said about who counts.
fn quorum(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Quorum> {
    let need = |value: &Value, pointer: &str, faults: &mut Faults| {
        reader::integer(1..=MOST_APPROVALS)(value, pointer, faults).and_then(|number| u32::try_from(number).ok())
    };
    if !value.is_object() {
        return need(value, pointer, faults).map(Quorum::people);
    }
    let mut object = ObjectReader::new(value, pointer, faults);
    let needed = object.required("need", need);
    let of = object.optional("of", one_or_more(reader::line(1..=NAME)));
    let count = object.optional("count", reader::one_of(Count::WORDS));
    let requester_counts = object.optional("requester_counts", reader::boolean());
    let last_editor_counts = object.optional("last_editor_counts", reader::boolean());
    object.finish();
    let usual = Quorum::people(needed?);
    Some(Quorum {
        of: of.unwrap_or_default(),
        count: count.unwrap_or_default(),
        requester_counts: requester_counts.unwrap_or(usual.requester_counts),
        last_editor_counts: last_editor_counts.unwrap_or(usual.last_editor_counts),
        ..usual
    })
}

/// One value, or a list of at least one.
fn one_or_more<T>(
    read: impl Fn(&Value, &str, &mut Faults) -> Option<T>,
) -> impl Fn(&Value, &str, &mut Faults) -> Option<Vec<T>> {
    move |value, pointer, faults| {
        if value.is_array() {
            reader::array(1..=MOST_WORDS, &read)(value, pointer, faults)
        } else {
            read(value, pointer, faults).map(|one| vec![one])
        }
    }
}

/// A duration within bounds, as milliseconds.
fn lasting(least: i64, most: i64) -> impl Fn(&Value, &str, &mut Faults) -> Option<i64> {
    move |value, pointer, faults| {
        let text = reader::line(1..=32)(value, pointer, faults)?;
        let ms = duration::seconds(&text).and_then(|s| i64::try_from(s).ok()).map(|s| s.saturating_mul(1000));
        let Some(ms) = ms else {
            let message =
                format!("{} is no duration: write hours, minutes and seconds, such as 30m or 1h30m", quoted(&text));
            return reader::refuse(Complaint::new(code::MALFORMED, message), pointer, faults);
        };
        if (least..=most).contains(&ms) {
            return Some(ms);
        }
        let words = |ms: i64| duration::canonical(u64::try_from(ms).unwrap_or_default());
        let message = format!("choose a duration from {} to {}", words(least), words(most));
        reader::refuse(Complaint::new(code::OUT_OF_RANGE, message), pointer, faults)
    }
}
