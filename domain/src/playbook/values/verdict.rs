//! Holding given values against a registration: the schema that a model is shown is the judge, and the verdict says what to
//! send instead. Nothing is repaired.

use std::collections::BTreeSet;

use jsonschema::error::{ValidationError, ValidationErrorKind};
use serde_json::{Map, Value};

use super::{Bound, BoundSource};
use crate::fault::{Complaint, Fault, Faults, code};
use crate::json::pointer::join;
use crate::playbook::judge::{self, Judge};
use crate::playbook::parameter::Parameter;
use crate::playbook::{Registration, dependency, scalar, schema};
use crate::reader::{nearest, quoted};

/// The values that a run would get for the exposed parameters: those given and the defaults that apply, in registration
/// order, written as the container gets them.
///
/// # Errors
/// Every fault at once. Pointers are relative to the parameters object: `/SCALE_TARGET_REPLICAS`. Beyond the schema, values
/// must keep the rules for text that reaches a container, and whole numbers must be within ±(2^53 − 1).
pub fn validate(registration: &Registration, given: &Map<String, Value>) -> Result<Vec<Bound>, Vec<Fault>> {
    let exposed = &registration.parameters.exposed;
    let mut faults = Faults::new();
    let mut misfits = BTreeSet::new();
    let mut values = given.clone();
    for parameter in exposed {
        let name = parameter.name.as_str();
        let Some(value) = values.get_mut(name) else { continue };
        match scalar::fit(parameter.kind, value) {
            Ok(fitted) => *value = fitted,
            Err(complaint) => {
                faults.push(complaint.at(join("", name)));
                misfits.insert(name);
            }
        }
    }
    let effective = dependency::with_defaults(exposed, &values);
    let bench = Bench { registration, effective: &effective, misfits: &misfits };
    match Judge::new(&schema::json_schema(registration)) {
        Ok(judge) => bench.hear(&judge, &Value::Object(values), &mut faults),
        Err(complaint) => {
            let message = format!("register the playbook anew, its schema cannot be used: {}", complaint.message);
            faults.add("", "bad_schema", message);
        }
    }
    if !faults.is_empty() {
        return Err(faults.into_vec());
    }
    let bound = |parameter: &Parameter| {
        let name = parameter.name.as_str();
        let source = if given.contains_key(name) { BoundSource::Given } else { BoundSource::Default };
        let value = scalar::written(effective.get(name)?);
        Some(Bound { name: parameter.name.clone(), value, source })
    };
    Ok(exposed.iter().filter_map(bound).collect())
}

/// The code of a name that the registration does not have.
const UNDECLARED: &str = "undeclared_parameter";
/// So many such names are told one by one: a request must not buy an answer larger than itself.
const MOST_UNDECLARED: usize = 16;

/// What is needed to put the judge's verdicts in words.
struct Bench<'a> {
    registration: &'a Registration,
    /// Given values and defaults.
    effective: &'a Map<String, Value>,
    /// Parameters about whose value enough has been said.
    misfits: &'a BTreeSet<&'a str>,
}

impl Bench<'_> {
    fn hear(&self, judge: &Judge, values: &Value, faults: &mut Faults) {
        // Said only if nothing else is: it follows from another parameter that is itself not allowed.
        let mut consequences = Vec::new();
        for error in judge.errors(values) {
            match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } => {
                    let told = unexpected.iter().take(MOST_UNDECLARED);
                    faults.extend(told.enumerate().map(|(n, name)| self.undeclared(name, n == 0).at(join("", name))));
                    if let Some(more) = unexpected.len().checked_sub(MOST_UNDECLARED).filter(|more| *more > 0) {
                        faults.add(
                            "",
                            UNDECLARED,
                            format!("leave {more} more names out: this playbook does not have them"),
                        );
                    }
                }
                ValidationErrorKind::Required { property } => {
                    let Some(parameter) = property.as_str().and_then(|name| self.registration.exposed(name)) else {
                        continue;
                    };
                    faults.push(missing(parameter).at(join("", parameter.name.as_str())));
                }
                _ => match self.conditional(&error) {
                    Some(parameter) => {
                        let fault = not_now(parameter, self.effective).at(join("", parameter.name.as_str()));
                        if dependency::holds(parameter, self.effective) {
                            consequences.push(fault);
                        } else {
                            faults.push(fault);
                        }
                    }
                    None => self.about_a_value(&error, faults),
                },
            }
        }
        if faults.is_empty() {
            faults.extend(consequences);
        }
    }

    fn about_a_value(&self, error: &ValidationError<'_>, faults: &mut Faults) {
        let path = error.instance_path().as_str();
        if !path.strip_prefix('/').is_some_and(|name| self.misfits.contains(name)) {
            faults.push(judge::complaint(error).at(path));
        }
    }

    /// The parameter whose `depends_on` an error is about: `/allOf/N/else/not`.
    fn conditional(&self, error: &ValidationError<'_>) -> Option<&Parameter> {
        let index = error.schema_path().as_str().strip_prefix("/allOf/")?.split('/').next()?.parse().ok()?;
        schema::conditional(&self.registration.parameters.exposed).nth(index)
    }

    /// A hidden parameter is told like one that is not there: whoever guesses names must not learn which of them are set.
    /// The `first` one says which there are.
    fn undeclared(&self, name: &str, first: bool) -> Complaint {
        let exposed = &self.registration.parameters.exposed;
        let advice = match nearest(name, exposed.iter().map(|parameter| parameter.name.as_str())) {
            Some(near) => format!("did you mean {near}?"),
            None if exposed.is_empty() => "this playbook takes no parameters".to_owned(),
            None if first => {
                let names: Vec<_> = exposed.iter().map(|parameter| parameter.name.as_str()).collect();
                format!("declared are {}", names.join(", "))
            }
            None => "this playbook does not have it".to_owned(),
        };
        Complaint::new(UNDECLARED, format!("leave {} out: {advice}", quoted(name)))
    }
}

fn missing(parameter: &Parameter) -> Complaint {
    let Parameter { name, kind, .. } = parameter;
    let message = if parameter.depends_on.is_empty() {
        format!("add {name} ({kind}): it is required")
    } else {
        format!("add {name} ({kind}): it is required when {}", when(parameter))
    };
    Complaint::new(code::REQUIRED, message)
}

fn not_now(parameter: &Parameter, effective: &Map<String, Value>) -> Complaint {
    let now: Vec<_> = parameter
        .depends_on
        .keys()
        .map(|name| match effective.get(name.as_str()) {
            Some(value) => format!("{name} is {}", scalar::shown(value)),
            None => format!("{name} is not given"),
        })
        .collect();
    let message =
        format!("leave {} out: it is allowed only when {}; now {}", parameter.name, when(parameter), now.join(" and "));
    Complaint::new("dependency_not_met", message)
}

fn when(parameter: &Parameter) -> String {
    let conditions: Vec<_> = parameter
        .depends_on
        .iter()
        .map(|(name, values)| match values.as_slice() {
            [value] => format!("{name} is {}", scalar::shown(value)),
            values => format!("{name} is one of {}", scalar::shown_list(values)),
        })
        .collect();
    conditions.join(" and ")
}
