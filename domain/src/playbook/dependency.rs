//! `depends_on`: when a parameter is allowed, and what goes in circles. Pure graph rules over the exposed parameters.
//!
//! A parameter is allowed only when each parameter that it names has one of the given values; a default counts as a value
//! where the parameter that has it is itself allowed.

use std::collections::{BTreeMap, BTreeSet};

#[cfg(feature = "judge")]
use serde_json::Map;
use serde_json::Value;

use super::names::ParameterName;
use super::parameter::Parameter;

/// What must be so for a parameter to be allowed: each of these has one of the values.
pub(super) type Conditions = BTreeMap<ParameterName, Vec<Value>>;

/// The conditions of `parameter`, and of those that it depends on and `follow` picks, and so on. Where two of them concern the same
/// parameter only the values in both remain.
pub(super) fn conditions(
    exposed: &[Parameter],
    parameter: &Parameter,
    follow: impl Fn(&Parameter) -> bool,
) -> Conditions {
    let mut met: Conditions = BTreeMap::new();
    let mut seen = BTreeSet::from([&parameter.name]);
    let mut open = vec![parameter];
    while let Some(next) = open.pop() {
        for (name, values) in &next.depends_on {
            met.entry(name.clone())
                .and_modify(|both| both.retain(|v| values.contains(v)))
                .or_insert_with(|| values.clone());
            if let Some(named) = exposed.iter().find(|candidate| candidate.name == *name)
                && follow(named)
                && seen.insert(&named.name)
            {
                open.push(named);
            }
        }
    }
    met
}

/// The given values and the defaults that apply.
#[cfg(feature = "judge")]
pub(super) fn with_defaults(exposed: &[Parameter], given: &Map<String, Value>) -> Map<String, Value> {
    let mut values = given.clone();
    let mut settled: BTreeSet<&ParameterName> = BTreeSet::new();
    // Each round settles at least one more; what is in a circle (never registered) stays as it is.
    loop {
        let before = settled.len();
        for parameter in exposed {
            let ready = parameter.depends_on.keys().all(|name| settled.contains(name));
            if !ready || !settled.insert(&parameter.name) {
                continue;
            }
            if let Some(default) = &parameter.default
                && !values.contains_key(parameter.name.as_str())
                && holds(parameter, &values)
            {
                values.insert(parameter.name.to_string(), default.clone());
            }
        }
        if settled.len() == before {
            return values;
        }
    }
}

/// Whether `depends_on` is met by these values (defaults filled).
#[cfg(feature = "judge")]
pub(super) fn holds(parameter: &Parameter, values: &Map<String, Value>) -> bool {
    parameter
        .depends_on
        .iter()
        .all(|(name, wanted)| values.get(name.as_str()).is_some_and(|value| wanted.contains(value)))
}

/// The circles in `depends_on`, each once, as the names on the way round.
pub(super) fn cycles(exposed: &[Parameter]) -> Vec<Vec<ParameterName>> {
    let mut found = Vec::new();
    let mut done = BTreeSet::new();
    for parameter in exposed {
        walk(exposed, parameter, &mut Vec::new(), &mut done, &mut found);
    }
    found
}

/// Depth first; at most as deep as there are parameters (64).
fn walk<'a>(
    exposed: &'a [Parameter],
    parameter: &'a Parameter,
    path: &mut Vec<&'a ParameterName>,
    done: &mut BTreeSet<&'a ParameterName>,
    found: &mut Vec<Vec<ParameterName>>,
) {
    if let Some(start) = path.iter().position(|name| **name == parameter.name) {
        found.push(path[start..].iter().map(|name| (*name).clone()).collect());
        return;
    }
    if done.contains(&parameter.name) {
        return;
    }
    path.push(&parameter.name);
    for name in parameter.depends_on.keys() {
        if let Some(named) = exposed.iter().find(|candidate| candidate.name == *name) {
            walk(exposed, named, path, done, found);
        }
    }
    path.pop();
    done.insert(&parameter.name);
}
