//! Reading one parameter of a registration, exposed or hidden. Knows no other parameter: what a parameter says about others
//! is kept as it was sent, for [`super::consistency`] to resolve.

use serde_json::{Number, Value};

use super::MOST_PARAMETERS;
use super::parameter::{HiddenParameter, HiddenSource, Parameter, ParameterType};
use super::scalar;
use crate::fault::{Complaint, Faults, code};
use crate::json::pointer::join;
use crate::limits::registration as limits;
use crate::reader::{self, ObjectReader, quoted, refuse, wrong_type};
use crate::text::VALUE_BYTES;

/// A value and where it stood.
pub(super) type Placed<T> = (String, T);

/// A parameter as far as it could be read. The name is kept even where the rest is faulty, so that others which name it are
/// not called wrong too.
pub(super) struct Draft<T> {
    pub pointer: String,
    pub name: Option<String>,
    pub parameter: Option<T>,
    /// Values that the parameter itself must accept.
    pub values: Vec<Placed<Value>>,
    pub depends_on: Vec<Condition>,
}

/// One member of `depends_on`.
pub(super) struct Condition {
    pub pointer: String,
    pub name: String,
    pub values: Vec<Placed<Value>>,
}

/// All parameters of a registration.
pub(super) struct Drafts {
    pub exposed: Vec<Draft<Parameter>>,
    pub hidden: Vec<Draft<HiddenParameter>>,
}

/// The list of exposed parameters.
pub(super) fn exposed(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Vec<Draft<Parameter>>> {
    reader::array(0..=MOST_PARAMETERS, |value, at, faults| Some(exposed_parameter(value, at, faults)))(
        value, pointer, faults,
    )
}

/// The list of hidden parameters.
pub(super) fn hidden(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Vec<Draft<HiddenParameter>>> {
    reader::array(0..=MOST_PARAMETERS, |value, at, faults| Some(hidden_parameter(value, at, faults)))(
        value, pointer, faults,
    )
}

fn exposed_parameter(value: &Value, pointer: &str, faults: &mut Faults) -> Draft<Parameter> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let name = object.required("name", reader::parsed());
    let description = object.optional("description", reader::paragraphs(0..=limits::PARAMETER_DESCRIPTION));
    let kind = object.required("type", reader::one_of(ParameterType::WORDS));
    let required = object.optional("required", reader::boolean());
    let default = object.optional("default", placed(fitting(kind)));
    let allowed = object.optional("enum", distinct_values(1..=limits::VALUES, kind)).unwrap_or_default();
    let examples = object.optional("examples", distinct_values(0..=limits::EXAMPLES, kind)).unwrap_or_default();
    let pattern = object.optional("pattern", reader::line(1..=limits::PATTERN));
    let minimum = object.optional("minimum", bound(kind));
    let maximum = object.optional("maximum", bound(kind));
    let min_length = object.optional("min_length", length());
    let max_length = object.optional("max_length", length());
    let depends_on = object.optional("depends_on", conditions).unwrap_or_default();
    let tekton_mapping = object.optional("tekton_mapping", reader::line(1..=limits::MAPPING));
    refuse_constraints_of_other_types(&mut object, kind);
    if let (Some(least), Some(most)) = (&minimum, &maximum)
        && least.as_f64() > most.as_f64()
    {
        object.fault("maximum", contradiction(&format!("maximum {most} is less than minimum {least}")));
    }
    if let (Some(fewest), Some(most)) = (min_length, max_length)
        && fewest > most
    {
        object.fault("max_length", contradiction(&format!("max_length {most} is less than min_length {fewest}")));
    }
    let raw_name = value.get("name").and_then(Value::as_str);
    if let (Some(mapping), Some(name)) = (&tekton_mapping, raw_name)
        && mapping.strip_prefix("env.") != Some(name)
    {
        let message = format!("write \"env.{name}\" or leave it out: a parameter becomes the variable of its own name");
        object.fault("tekton_mapping", Complaint::new("wrong_mapping", message));
    }
    object.finish();

    let mut values = allowed.clone();
    values.extend(default.clone());
    values.extend(examples.iter().cloned());
    let unplaced = |placed: Vec<Placed<Value>>| placed.into_iter().map(|(_, value)| value).collect();
    let parameter = name.zip(kind).map(|(name, kind)| Parameter {
        name,
        description: description.unwrap_or_default(),
        kind,
        required: required.unwrap_or(false),
        default: default.map(|(_, value)| value),
        allowed: unplaced(allowed),
        pattern: pattern.filter(|_| kind == ParameterType::String),
        minimum: minimum.filter(|_| kind.is_numeric()),
        maximum: maximum.filter(|_| kind.is_numeric()),
        min_length: min_length.filter(|_| kind == ParameterType::String),
        max_length: max_length.filter(|_| kind == ParameterType::String),
        examples: unplaced(examples),
        depends_on: std::collections::BTreeMap::new(),
        tekton_mapping,
    });
    Draft { pointer: pointer.to_owned(), name: raw_name.map(str::to_owned), parameter, values, depends_on }
}

fn hidden_parameter(value: &Value, pointer: &str, faults: &mut Faults) -> Draft<HiddenParameter> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let name = object.required("name", reader::parsed());
    let value_given = object.has("value");
    let secret_given = object.has("secret_ref");
    let text = object.optional("value", hidden_value);
    let secret = object.optional("secret_ref", secret_ref);
    let description = object.optional("description", reader::paragraphs(0..=limits::PARAMETER_DESCRIPTION));
    match (value_given, secret_given) {
        (false, false) => object.fault_here(Complaint::new(
            code::REQUIRED,
            "add a \"value\", or a \"secret_ref\" with the name and key of a Secret",
        )),
        (true, true) => object.fault_here(contradiction("keep either \"value\" or \"secret_ref\"")),
        _ => {}
    }
    object.finish();
    let source = text.map(HiddenSource::Value).or(secret);
    let parameter = name.zip(source).map(|(name, source)| HiddenParameter {
        name,
        source,
        description: description.unwrap_or_default(),
    });
    let name = value.get("name").and_then(Value::as_str).map(str::to_owned);
    Draft { pointer: pointer.to_owned(), name, parameter, values: Vec::new(), depends_on: Vec::new() }
}

/// Hidden values are text; numbers and booleans are written as they would be for an exposed parameter.
fn hidden_value(value: &Value, pointer: &str, faults: &mut Faults) -> Option<String> {
    let kind = match value {
        Value::Number(_) => ParameterType::Number,
        Value::Bool(_) => ParameterType::Boolean,
        _ => ParameterType::String,
    };
    fitting(Some(kind))(value, pointer, faults).map(|value| scalar::written(&value))
}

fn secret_ref(value: &Value, pointer: &str, faults: &mut Faults) -> Option<HiddenSource> {
    let mut object = ObjectReader::new(value, pointer, faults);
    let name = object.required("name", reader::parsed());
    let key = object.required("key", reader::parsed());
    object.finish();
    Some(HiddenSource::SecretRef { name: name?, key: key? })
}

fn refuse_constraints_of_other_types(object: &mut ObjectReader<'_, '_>, kind: Option<ParameterType>) {
    let Some(kind) = kind else { return };
    let text = ["pattern", "min_length", "max_length"].map(|name| (name, kind == ParameterType::String, "string"));
    let numeric = ["minimum", "maximum"].map(|name| (name, kind.is_numeric(), "integer or number"));
    for (name, fits, meant_for) in text.into_iter().chain(numeric) {
        if !fits && object.has(name) {
            let message = format!("remove {name}: it is for parameters of type {meant_for}, and this one is {kind}");
            object.fault(name, Complaint::new("not_for_type", message));
        }
    }
}

fn contradiction(message: &str) -> Complaint {
    Complaint::new("contradiction", format!("mend the contradiction: {message}"))
}

/// A value of the type. Where the type itself is unknown nothing can be said.
fn fitting(kind: Option<ParameterType>) -> impl Fn(&Value, &str, &mut Faults) -> Option<Value> {
    move |value, pointer, faults| match scalar::fit(kind?, value) {
        Ok(value) => Some(value),
        Err(complaint) => refuse(complaint, pointer, faults),
    }
}

fn placed<T>(
    read: impl Fn(&Value, &str, &mut Faults) -> Option<T>,
) -> impl Fn(&Value, &str, &mut Faults) -> Option<Placed<T>> {
    move |value, pointer, faults| read(value, pointer, faults).map(|value| (pointer.to_owned(), value))
}

fn distinct_values(
    count: std::ops::RangeInclusive<usize>,
    kind: Option<ParameterType>,
) -> impl Fn(&Value, &str, &mut Faults) -> Option<Vec<Placed<Value>>> {
    move |value, pointer, faults| {
        let values = reader::array(count.clone(), placed(fitting(kind)))(value, pointer, faults)?;
        for (index, (pointer, value)) in values.iter().enumerate() {
            if values[..index].iter().any(|(_, earlier)| earlier == value) {
                faults.add(pointer, code::DUPLICATE, format!("remove {}: it is listed twice", scalar::shown(value)));
            }
        }
        Some(values)
    }
}

/// A bound is of the parameter's type.
fn bound(kind: Option<ParameterType>) -> impl Fn(&Value, &str, &mut Faults) -> Option<Number> {
    let kind = kind.map(|kind| if kind.is_numeric() { kind } else { ParameterType::Number });
    move |value, pointer, faults| match fitting(kind)(value, pointer, faults)? {
        Value::Number(number) => Some(number),
        _ => None,
    }
}

fn length() -> impl Fn(&Value, &str, &mut Faults) -> Option<u32> {
    let longest = i64::try_from(VALUE_BYTES).unwrap_or(i64::MAX);
    move |value, pointer, faults| {
        reader::integer(0..=longest)(value, pointer, faults).and_then(|length| u32::try_from(length).ok())
    }
}

/// `{"OTHER": ["value", …]}`; whose names and values these are is not known here.
fn conditions(value: &Value, pointer: &str, faults: &mut Faults) -> Option<Vec<Condition>> {
    const MOST: usize = limits::CONDITIONS;
    let Some(members) = value.as_object() else {
        return wrong_type(value, pointer, faults, "an object {\"OTHER_PARAMETER\": [\"value\", …]}");
    };
    if members.len() > MOST {
        let message = format!("name at most {MOST} parameters, not {}", members.len());
        faults.add(pointer, code::TOO_MANY, message);
    }
    Some(members.iter().take(MOST).map(|(name, value)| condition(name, value, pointer, faults)).collect())
}

fn condition(name: &str, value: &Value, pointer: &str, faults: &mut Faults) -> Condition {
    let pointer = join(pointer, name);
    let as_it_is = |value: &Value, pointer: &str, _: &mut Faults| Some((pointer.to_owned(), value.clone()));
    let values = match value {
        Value::Array(_) => reader::array(1..=limits::VALUES, as_it_is)(value, &pointer, faults).unwrap_or_default(),
        other => {
            let message =
                format!("send a list of the values that {} may have, not {}", quoted(name), reader::described(other));
            faults.add(&pointer, code::WRONG_TYPE, message);
            Vec::new()
        }
    };
    Condition { pointer, name: name.to_owned(), values }
}
