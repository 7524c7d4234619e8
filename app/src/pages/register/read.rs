//! From what was typed to the document that is registered: either the text that was pasted, or one made of the form's fields
//! and of what the form has no field for. It judges the form of a text only; whether the document is a registration, the
//! catalog decides.

use super::{
    fields::{DOCUMENT, Fields, KEPT, LABELS, NUMBERS, TEXTS, normal, rows, value},
    lists,
};
use domain::{
    fault::{Fault, code},
    json::strict::{self, Limits, Unread},
};
use serde_json::{Map, Value, json};

/// What was read. Where there are faults the document is without what they are about.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The document.
    pub document: Value,
    /// What can't be read.
    pub faults: Vec<Fault>,
}

/// Reads what was typed. A text that begins with `{` is read as JSON, strictly, anything else as YAML.
pub fn read(fields: &Fields) -> Reading {
    let fields = normal(fields);
    if let Some(text) = value(&fields, DOCUMENT) {
        return match parse(text) {
            Ok(document) => Reading { document, faults: Vec::new() },
            Err(fault) => Reading { document: Value::Null, faults: vec![fault] },
        };
    }
    if fields.iter().any(|(name, _)| name == DOCUMENT) {
        let fault = Fault::new("/document", code::REQUIRED, "paste a registration as JSON or YAML");
        return Reading { document: Value::Null, faults: vec![fault] };
    }
    let mut faults = Vec::new();
    let document = Value::Object(from_form(&fields, &mut faults));
    Reading { document, faults }
}

/// A text as the document that it is.
pub fn parse(text: &str) -> Result<Value, Fault> {
    let limits = Limits::default();
    if text.trim_start().starts_with('{') {
        return strict::parse(text.as_bytes(), limits)
            .map_err(|error| Fault::new(error.pointer(), error.code(), error.to_string()));
    }
    if text.len() > limits.bytes {
        let message = format!("the document has {} bytes; send at most {}", text.len(), limits.bytes);
        return Err(Fault::new("", code::TOO_LONG, message));
    }
    let read = strict::read(serde_norway::Deserializer::from_str(text), limits).map_err(|unread| match unread {
        Unread::Strict(error) => Fault::new(error.pointer(), error.code(), error.to_string()),
        Unread::Format { pointer, error } => {
            Fault::new(pointer, "yaml_syntax", format!("this is neither JSON nor YAML: {error}"))
        }
    })?;
    if read.is_object() {
        Ok(read)
    } else {
        Err(Fault::new("", code::WRONG_TYPE, "a registration is an object: begin with workflow_id, version, title"))
    }
}

fn from_form(fields: &Fields, faults: &mut Vec<Fault>) -> Map<String, Value> {
    let mut document = kept(fields, KEPT, faults);
    let trimmed = |name: &str| value(fields, name).map(str::trim);
    for name in TEXTS {
        put(&mut document, name, trimmed(name));
    }
    let mut labels = Map::new();
    for name in LABELS {
        put(&mut labels, name, trimmed(name));
    }
    if let Some(tags) = trimmed("tags") {
        labels.insert("tags".into(), json!(lists::read(tags)));
    }
    let mut execution = Map::new();
    put(&mut execution, "timeout", trimmed("timeout"));
    put(&mut execution, "service_account", trimmed("service_account"));
    if let Some(text) = trimmed("retry_count") {
        execution.extend(number(text, "/execution/retry_count", faults).map(|n| ("retry_count".to_owned(), n)));
    }
    if let Some(text) = trimmed("idempotent") {
        // Any other word is the service's to refuse.
        let said = match text {
            "yes" => json!(true),
            "no" => json!(false),
            other => json!(other),
        };
        execution.insert("idempotent".into(), said);
    }
    if let Some(text) = trimmed("capture") {
        execution.insert("capture".into(), lines(text).into_iter().map(capture).collect());
    }
    for (name, part) in [("labels", labels), ("execution", execution)] {
        merge(&mut document, name, part);
    }
    if let Some(steps) = trimmed("internal_steps") {
        document.insert("internal_steps".into(), json!(lines(steps)));
    }
    if let Some(outputs) = trimmed("outputs") {
        document.insert("outputs".into(), lines(outputs).into_iter().map(output).collect());
    }
    let exposed = rows(fields, "exposed").into_iter().enumerate();
    let exposed: Vec<Value> = exposed.map(|(index, row)| exposed_row(fields, row, index, faults)).collect();
    let hidden: Vec<Value> = rows(fields, "hidden").into_iter().map(|row| hidden_row(fields, row, faults)).collect();
    parameters(&mut document, exposed, hidden);
    document
}

/// The parameters in the form in which they came: as a flat list while there are no hidden ones, else as two lists.
fn parameters(document: &mut Map<String, Value>, exposed: Vec<Value>, hidden: Vec<Value>) {
    if exposed.is_empty() && hidden.is_empty() {
        return;
    }
    match document.get_mut("parameters") {
        Some(Value::Array(list)) if hidden.is_empty() => *list = exposed,
        _ => {
            let lists = [("exposed", exposed), ("hidden", hidden)].into_iter().filter(|(_, list)| !list.is_empty());
            let part = lists.map(|(name, list)| (name.to_owned(), Value::Array(list))).collect();
            merge(document, "parameters", part);
        }
    }
}

/// Adds members to a part of the document, which is made where it is not there.
fn merge(document: &mut Map<String, Value>, name: &str, part: Map<String, Value>) {
    if part.is_empty() {
        return;
    }
    match document.get_mut(name) {
        Some(Value::Object(there)) => there.extend(part),
        _ => drop(document.insert(name.to_owned(), Value::Object(part))),
    }
}

/// What is kept beside the fields.
fn kept(fields: &Fields, name: &str, faults: &mut Vec<Fault>) -> Map<String, Value> {
    let Some(text) = value(fields, name) else { return Map::new() };
    if let Ok(Value::Object(kept)) = strict::parse(text.as_bytes(), Limits::default()) {
        return kept;
    }
    faults.push(Fault::new("", code::MALFORMED, "what the form has no field for was lost on the way: start again"));
    Map::new()
}

fn put(into: &mut Map<String, Value>, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        into.insert(name.to_owned(), json!(text));
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// `name type`.
fn output(line: &str) -> Value {
    let mut words = line.splitn(2, char::is_whitespace).map(str::trim);
    let mut output = Map::new();
    put(&mut output, "name", words.next());
    put(&mut output, "type", words.next());
    Value::Object(output)
}

/// `PARAMETER field`.
fn capture(line: &str) -> Value {
    let mut words = line.splitn(2, char::is_whitespace).map(str::trim);
    let mut capture = Map::new();
    put(&mut capture, "parameter", words.next());
    put(&mut capture, "field", words.next());
    Value::Object(capture)
}

/// A number as it was typed, without rounding.
fn number(text: &str, pointer: &str, faults: &mut Vec<Fault>) -> Option<Value> {
    let read = strict::parse(text.as_bytes(), Limits::default()).ok().filter(Value::is_number);
    if read.is_none() {
        faults.push(Fault::new(pointer, code::WRONG_TYPE, format!("\"{text}\" is no number")));
    }
    read
}

/// A value of the parameter's type; a text stays a text.
fn typed(text: &str, kind: &str, pointer: &str, faults: &mut Vec<Fault>) -> Option<Value> {
    match (kind, text) {
        ("integer" | "number", _) => number(text, pointer, faults),
        ("boolean", "true") => Some(json!(true)),
        ("boolean", "false") => Some(json!(false)),
        ("boolean", other) => {
            faults.push(Fault::new(pointer, code::WRONG_TYPE, format!("\"{other}\" is neither true nor false")));
            None
        }
        _ => Some(json!(text)),
    }
}

fn exposed_row(fields: &Fields, row: usize, index: usize, faults: &mut Vec<Fault>) -> Value {
    let field = |name: &str| value(fields, &format!("exposed.{row}.{name}")).map(str::trim);
    let at = |name: &str| format!("/parameters/exposed/{index}/{name}");
    let kind = field("type").unwrap_or_default();
    let mut parameter = kept(fields, &format!("exposed.{row}.{KEPT}"), faults);
    for name in ["name", "description", "type", "pattern"] {
        put(&mut parameter, name, field(name));
    }
    if field("required").is_some() {
        parameter.insert("required".into(), json!(true));
    }
    if let Some(text) = field("default") {
        parameter.extend(typed(text, kind, &at("default"), faults).map(|v| ("default".to_owned(), v)));
    }
    for name in ["enum", "examples"] {
        if let Some(text) = field(name) {
            let values = lists::read(text).into_iter().filter_map(|t| typed(&t, kind, &at(name), faults));
            let values: Vec<Value> = values.collect();
            parameter.insert(name.into(), Value::Array(values));
        }
    }
    for name in NUMBERS {
        if let Some(text) = field(name) {
            parameter.extend(number(text, &at(name), faults).map(|n| (name.to_owned(), n)));
        }
    }
    if let Some(text) = field("depends_on") {
        let conditions = lists::read_conditions(text).into_iter().map(|(name, values)| {
            let kind = kind_of(fields, &name);
            let values = values.into_iter().filter_map(|t| typed(&t, kind, &at("depends_on"), faults));
            let values: Vec<Value> = values.collect();
            (name, Value::Array(values))
        });
        let conditions: Map<String, Value> = conditions.collect();
        parameter.insert("depends_on".into(), Value::Object(conditions));
    }
    Value::Object(parameter)
}

/// The type of the parameter of that name, as the form has it.
fn kind_of<'f>(fields: &'f Fields, name: &str) -> &'f str {
    let named = rows(fields, "exposed")
        .into_iter()
        .find(|row| value(fields, &format!("exposed.{row}.name")).map(str::trim) == Some(name));
    named.and_then(|row| value(fields, &format!("exposed.{row}.type"))).map(str::trim).unwrap_or_default()
}

fn hidden_row(fields: &Fields, row: usize, faults: &mut Vec<Fault>) -> Value {
    let field = |name: &str| value(fields, &format!("hidden.{row}.{name}")).map(str::trim);
    let mut parameter = kept(fields, &format!("hidden.{row}.{KEPT}"), faults);
    for name in ["name", "value", "description"] {
        put(&mut parameter, name, field(name));
    }
    if let Some(secret) = field("secret") {
        let (name, key) = secret.split_once('/').unwrap_or((secret, ""));
        parameter.insert("secret_ref".into(), json!({ "name": name, "key": key }));
    }
    Value::Object(parameter)
}
