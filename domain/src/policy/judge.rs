//! What a policy says about one case: the first rule that matches.

use super::{Concurrency, Conditions, Facts, Grant, Match, Measured, Policy, Quorum, Rule, Ruling, Terms};
use crate::{recommendation::Risk, recovery::Recovery, signature::Signature, text::like};

/// Namespaces that one case may act in.
const MOST: usize = 50;

/// The ruling of this version of a policy. What acts in several namespaces is judged for each of them, and held to the strictest
/// of what the rules say: neither a loose rule for one of them nor an order of the rules lets pass what another would stop. Where
/// none is the strictest nobody can approve it.
pub fn judge(policy: &Policy, version: u32, facts: &Facts, conditions: &dyn Conditions) -> Ruling {
    let mut found = None;
    let mut work = || found = Some(by_namespace(policy, version, facts, conditions));
    if policy.has_conditions() {
        conditions.together(&mut work);
    } else {
        work();
    }
    let ruling =
        found.unwrap_or_else(|| nobody(policy, version, "none", "its conditions can't be evaluated here".into()));
    Ruling { risk: facts.risk, ..ruling }
}

/// The strictest of the rulings for each namespace.
fn by_namespace(policy: &Policy, version: u32, facts: &Facts, conditions: &dyn Conditions) -> Ruling {
    if facts.namespaces.len() > MOST {
        let trouble = format!("it acts in more than {MOST} namespaces: propose it in parts");
        return nobody(policy, version, "none", trouble);
    }
    let mut rulings: Vec<Ruling> = Vec::new();
    for place in 0..facts.namespaces.len().max(1) {
        let mut there = facts.clone();
        if place > 0 {
            there.namespaces.swap(0, place);
        }
        let ruling = in_first(policy, version, &there, conditions);
        if rulings.iter().all(|known| known.terms.rule != ruling.terms.rule) {
            rulings.push(ruling);
        }
    }
    let Some(strictest) = rulings.iter().find(|one| rulings.iter().all(|other| one.terms.covers(&other.terms))) else {
        let names = rulings.iter().map(|ruling| ruling.terms.rule.as_str()).collect::<Vec<_>>().join(", ");
        let trouble = format!(
            "it acts in namespaces of different rules ({names}), none of which asks for all that the others do: \
             propose it for each namespace by itself"
        );
        return nobody(policy, version, &names, trouble);
    };
    let mut ruling = strictest.clone();
    for other in &rulings {
        ruling.hold_to(other);
    }
    ruling
}

/// The ruling for the first of the namespaces. A condition that can't be evaluated is never passed over silently: an automatic rule
/// is then no rule, since the next one asks people; with any other nobody can approve until the policy is mended.
fn in_first(policy: &Policy, version: u32, facts: &Facts, conditions: &dyn Conditions) -> Ruling {
    for rule in &policy.rules {
        match matches(&rule.fits, facts, conditions) {
            Ok(Some(mut because)) => {
                let asked = rule.require_signature;
                because.extend(asked.then(|| format!("it asks for signed images, and {}", words(facts.signature))));
                return ruling(policy, version, rule, granted(rule, facts), because);
            }
            Ok(None) => {}
            Err(_) if rule.grant == Grant::Automatic => {}
            Err(why) => {
                let trouble = format!("the condition of its rule {} can't be evaluated here: {why}", rule.name);
                return nobody(policy, version, &rule.name, trouble);
            }
        }
    }
    // No document without a last rule is ever taken in.
    nobody(policy, version, "none", "none of its rules is for this".into())
}

/// Whatever a rule says: what is risky is looked at by people, and what asks for a signature is let run by nobody without one that
/// was verified.
fn granted(rule: &Rule, facts: &Facts) -> Grant {
    if rule.require_signature && !facts.signature.is_verified() {
        return Grant::Never;
    }
    match rule.grant {
        Grant::Automatic if facts.risk == Risk::High => Grant::People,
        grant => grant,
    }
}

/// What a rule says, of whatever it is for and of no risk.
pub(super) fn ruling(policy: &Policy, version: u32, rule: &Rule, grant: Grant, because: Vec<String>) -> Ruling {
    let freezes = policy.freezes.iter().filter(|freeze| rule.freeze.contains(&freeze.name)).cloned().collect();
    Ruling {
        policy: policy.name.clone(),
        terms: Terms {
            version,
            rule: rule.name.clone(),
            grant,
            quorum: rule.approvals.clone(),
            freezes,
            guard: rule.guard,
            signed: rule.require_signature,
        },
        risk: Risk::Low,
        expires_ms: rule.expires_ms,
        recovery: rule.recovery,
        why: rule.why.clone(),
        because,
        trouble: None,
    }
}

fn nobody(policy: &Policy, version: u32, rule: &str, trouble: String) -> Ruling {
    Ruling {
        policy: policy.name.clone(),
        terms: Terms {
            version,
            rule: rule.to_owned(),
            grant: Grant::Never,
            quorum: Quorum::people(1),
            freezes: Vec::new(),
            guard: Concurrency::default(),
            signed: false,
        },
        risk: Risk::Low,
        expires_ms: None,
        recovery: Recovery::None,
        why: None,
        because: Vec::new(),
        trouble: Some(trouble),
    }
}

/// Whether all that is said holds; then what it was, in words.
fn matches(fits: &Match, facts: &Facts, conditions: &dyn Conditions) -> Result<Option<Vec<String>>, String> {
    let mut because = Vec::new();
    // What nobody says is matched by `*` alone, as an empty text.
    let or_empty = |text: &Option<String>| vec![text.clone().unwrap_or_default()];
    let texts = [
        ("cluster", &fits.cluster, vec![facts.cluster.clone()]),
        ("environment", &fits.environment, or_empty(&facts.environment)),
        ("namespace", &fits.namespace, or_empty(&facts.namespaces.first().cloned())),
        ("playbook", &fits.playbook, or_empty(&facts.playbook)),
        ("action type", &fits.action_type, vec![facts.action_type.clone()]),
        ("origin", &fits.origin, vec![facts.origin.clone()]),
    ];
    for (name, patterns, values) in texts {
        if patterns.is_empty() {
            continue;
        }
        let Some(value) = values.iter().find(|value| patterns.iter().any(|pattern| like(pattern, value))) else {
            return Ok(None);
        };
        because.push(if value.is_empty() { format!("any {name}") } else { format!("{name} {value}") });
    }
    if !fits.severity.is_empty() {
        if !fits.severity.contains(&facts.severity) {
            return Ok(None);
        }
        because.push(format!("severity {}", facts.severity.name()));
    }
    if !fits.risk.is_empty() {
        if !fits.risk.contains(&facts.risk) {
            return Ok(None);
        }
        because.push(format!("risk {}", facts.risk.name()));
    }
    if let Some(range) = fits.confidence {
        let Some(sure) = facts.confidence.filter(|sure| range.holds(*sure)) else { return Ok(None) };
        because.push(format!("confidence {sure:.2}"));
    }
    if let Some(wanted) = &fits.measured_success {
        let Some(words) = measured(wanted, facts) else { return Ok(None) };
        because.push(words);
    }
    if let Some(wanted) = fits.signed {
        if wanted != facts.signature.is_verified() {
            return Ok(None);
        }
        because.push(words(facts.signature).to_owned());
    }
    // Last: it is asked only of what the fields are for.
    if let Some(condition) = &fits.when {
        if !conditions.holds(condition, facts)? {
            return Ok(None);
        }
        because.push(format!("its condition {condition} holds"));
    }
    Ok(Some(because))
}

fn measured(wanted: &Measured, facts: &Facts) -> Option<String> {
    let found = facts.measured.filter(|found| found.runs >= i64::from(wanted.runs) && wanted.rate.holds(found.rate))?;
    Some(format!("{} of {} runs succeeded", found.succeeded, found.runs))
}

/// How what would run is signed: the worst of its images.
const fn words(signature: Signature) -> &'static str {
    match signature {
        Signature::Verified => "somebody trusted signed what runs",
        Signature::Untrusted => "nobody trusted signed what runs",
        Signature::Missing => "what runs is not signed",
        Signature::Unknown => "nobody could check who signed what runs",
    }
}
