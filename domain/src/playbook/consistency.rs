//! The rules of a registration that concern several parameters, or a parameter's values against its own constraints.
//! Takes what the intake could read, and gives the parameters back with `depends_on` resolved.

use serde_json::Value;

use super::MOST_PARAMETERS;
use super::dependency;
use super::names::ParameterName;
use super::parameter::{Parameter, Parameters};
use super::parameter_intake::{Condition, Draft, Drafts};
use super::scalar;
use crate::fault::{Complaint, Faults, code};
use crate::json::pointer::join;
#[cfg(feature = "judge")]
use crate::reader::refuse;
use crate::reader::{nearest, quoted};

/// Checks the parameters at `pointer`. The answer is complete only if no fault was recorded.
pub(super) fn check(mut drafts: Drafts, pointer: &str, faults: &mut Faults) -> Parameters {
    if drafts.exposed.len() + drafts.hidden.len() > MOST_PARAMETERS {
        let message = format!("a playbook has at most {MOST_PARAMETERS} parameters, exposed and hidden together");
        faults.add(pointer, code::TOO_MANY, message);
    }
    names(&drafts, faults);
    let judges = Judges::new(&drafts.exposed, faults);
    for (index, draft) in drafts.exposed.iter().enumerate() {
        for (pointer, value) in &draft.values {
            faults.extend(judges.complaints(index, value).into_iter().map(|complaint| complaint.at(pointer)));
        }
    }
    resolve_conditions(&mut drafts, &judges, faults);
    let places: Vec<_> = drafts.exposed.iter().map(|draft| (draft.name.clone(), draft.pointer.clone())).collect();
    let parameters = Parameters {
        exposed: drafts.exposed.into_iter().filter_map(|draft| draft.parameter).collect(),
        hidden: drafts.hidden.into_iter().filter_map(|draft| draft.parameter).collect(),
    };
    let place = |name: &str| {
        let pointer =
            places.iter().find(|(candidate, _)| candidate.as_deref() == Some(name)).map(|(_, pointer)| pointer);
        format!("{}/depends_on", pointer.map_or("", String::as_str))
    };
    circles(&parameters.exposed, place, faults);
    parameters
}

/// Nothing twice, and nothing both exposed and hidden.
fn names(drafts: &Drafts, faults: &mut Faults) {
    let exposed: Vec<_> = drafts.exposed.iter().map(|draft| (draft.name.as_deref(), &draft.pointer)).collect();
    let hidden: Vec<_> = drafts.hidden.iter().map(|draft| (draft.name.as_deref(), &draft.pointer)).collect();
    for list in [&exposed, &hidden] {
        for (index, (name, pointer)) in list.iter().enumerate() {
            let Some(name) = name else { continue };
            if list[..index].iter().any(|(earlier, _)| *earlier == Some(name)) {
                let message = format!("remove or rename the second parameter {}", quoted(name));
                faults.add(join(pointer, "name"), code::DUPLICATE, message);
            }
        }
    }
    for (name, pointer) in hidden {
        let Some(name) = name else { continue };
        if exposed.iter().any(|(other, _)| *other == Some(name)) {
            let message = format!("rename {}: it cannot be both exposed and hidden", quoted(name));
            faults.add(join(pointer, "name"), "parameter_conflict", message);
        }
    }
}

fn resolve_conditions(drafts: &mut Drafts, judges: &Judges, faults: &mut Faults) {
    for index in 0..drafts.exposed.len() {
        let conditions = std::mem::take(&mut drafts.exposed[index].depends_on);
        for condition in conditions {
            if drafts.exposed[index].name.as_deref() == Some(&condition.name) {
                faults.add(&condition.pointer, "self_dependency", "remove it: a parameter cannot depend on itself");
                continue;
            }
            let Some(place) = drafts.exposed.iter().position(|draft| draft.name.as_deref() == Some(&condition.name))
            else {
                faults.add(&condition.pointer, "unknown_parameter", unknown(&condition.name, drafts));
                continue;
            };
            // When the named parameter could not be read there is no telling which values it may have.
            let Some(named) = &drafts.exposed[place].parameter else { continue };
            let name = named.name.clone();
            let values = possible_values(&condition, named, |value| judges.complaints(place, value), faults);
            if let Some(parameter) = &mut drafts.exposed[index].parameter {
                parameter.depends_on.insert(name, values);
            }
        }
    }
}

fn unknown(name: &str, drafts: &Drafts) -> String {
    if drafts.hidden.iter().any(|draft| draft.name.as_deref() == Some(name)) {
        return format!("remove {}: a hidden parameter never changes, so nothing can depend on it", quoted(name));
    }
    match nearest(name, drafts.exposed.iter().filter_map(|draft| draft.name.as_deref())) {
        Some(near) => format!("there is no exposed parameter {}: did you mean {}?", quoted(name), quoted(near)),
        None => format!("there is no exposed parameter {}: declare it, or remove the condition", quoted(name)),
    }
}

/// The values that the named parameter can have; the others are recorded.
fn possible_values(
    condition: &Condition,
    named: &Parameter,
    complaints: impl Fn(&Value) -> Vec<Complaint>,
    faults: &mut Faults,
) -> Vec<Value> {
    let judged = |value| complaints(&value).into_iter().next().map_or(Ok(value), Err);
    let mut possible = Vec::new();
    for (pointer, value) in &condition.values {
        match scalar::fit(named.kind, value).and_then(judged) {
            Err(complaint) => {
                let message = format!("{} can never have this value: {}", named.name, complaint.message);
                faults.add(pointer, "impossible_value", message);
            }
            Ok(value) if possible.contains(&value) => {
                faults.add(pointer, code::DUPLICATE, format!("remove {}: it is listed twice", scalar::shown(&value)));
            }
            Ok(value) => possible.push(value),
        }
    }
    possible
}

/// Circles, and conditions that contradict each other on the way up.
fn circles(exposed: &[Parameter], place: impl Fn(&str) -> String, faults: &mut Faults) {
    let cycles = dependency::cycles(exposed);
    for cycle in &cycles {
        let Some(first) = cycle.first() else { continue };
        let round: Vec<_> = cycle.iter().chain([first]).map(ToString::to_string).collect();
        let message = format!("break the circle {}: none of them could ever be given", round.join(" → "));
        faults.add(place(first.as_str()), "dependency_cycle", message);
    }
    if !cycles.is_empty() {
        return;
    }
    // A condition of which nothing possible was left has its own fault already.
    let emptied =
        |name: &ParameterName| exposed.iter().any(|other| other.depends_on.get(name).is_some_and(Vec::is_empty));
    for parameter in exposed {
        let conditions = dependency::conditions(exposed, parameter, |_| true);
        if let Some((name, _)) = conditions.iter().find(|(name, values)| values.is_empty() && !emptied(name)) {
            let message = format!(
                "{} can never be given: what it depends on asks for different values of {name}",
                parameter.name
            );
            faults.add(place(parameter.name.as_str()), "contradiction", message);
        }
    }
}

/// The judges of the exposed parameters, in their order; none for a parameter that could not be read.
#[cfg(feature = "judge")]
struct Judges(Vec<Option<super::judge::Judge>>);

#[cfg(feature = "judge")]
impl Judges {
    fn new(drafts: &[Draft<Parameter>], faults: &mut Faults) -> Self {
        let judge = |draft: &Draft<Parameter>| match super::judge::Judge::of_parameter(draft.parameter.as_ref()?) {
            Ok(judge) => Some(judge),
            Err(complaint) => refuse(complaint, &join(&draft.pointer, "pattern"), faults),
        };
        Self(drafts.iter().map(judge).collect())
    }

    fn complaints(&self, index: usize, value: &Value) -> Vec<Complaint> {
        self.0.get(index).and_then(Option::as_ref).map(|judge| judge.complaints(value)).unwrap_or_default()
    }
}

/// Without the feature nothing is judged; the server judges again.
#[cfg(not(feature = "judge"))]
struct Judges;

#[cfg(not(feature = "judge"))]
impl Judges {
    fn new(_: &[Draft<Parameter>], _: &mut Faults) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the same call as with the feature")]
    fn complaints(&self, _: usize, _: &Value) -> Vec<Complaint> {
        Vec::new()
    }
}
