//! From a document to the fields of the form, without loss: what a field can hold goes there, and whatever is left is kept
//! beside them as JSON. [`read`](super::read::read) of the fields is the very same document.

use super::{
    fields::{Fields, KEPT, LABELS, NUMBERS, TEXTS, rows, value},
    lists,
    read::read,
};
use domain::{
    json::pointer::{join, join_index},
    playbook::ParameterType,
    text::is_unseen,
};
use serde_json::{Map, Value};

type Object = Map<String, Value>;
type Written = Vec<(String, String)>;

/// The fields of a document; none where it has not the outline of a registration, which no form could hold.
pub fn fields(document: &Value) -> Option<Written> {
    let mut rest = document.as_object()?.clone();
    let mut fields = Written::new();
    for name in TEXTS {
        take(&mut rest, name, name, &mut fields, |v| text(v, name == "description"));
    }
    part(&mut rest, "labels", &mut fields, |labels, fields| {
        for name in LABELS {
            take(labels, name, name, fields, |v| text(v, false));
        }
        take(labels, "tags", "tags", fields, |v| listed(v, "string"));
    });
    part(&mut rest, "execution", &mut fields, |execution, fields| {
        for name in ["timeout", "service_account"] {
            take(execution, name, name, fields, |v| text(v, false));
        }
        take(execution, "retry_count", "retry_count", fields, number);
        take(execution, "idempotent", "idempotent", fields, |v| {
            v.as_bool().map(|yes| if yes { "yes" } else { "no" }.to_owned())
        });
        take(execution, "capture", "capture", fields, |v| pairs(v, ["parameter", "field"]));
    });
    take(&mut rest, "internal_steps", "internal_steps", &mut fields, steps);
    take(&mut rest, "outputs", "outputs", &mut fields, outputs);
    parameters(&mut rest, &mut fields);
    if !rest.is_empty() {
        fields.push((KEPT.to_owned(), ascii(&rest)));
    }
    // The promise is kept whatever is above.
    let again = read(&fields);
    (again.faults.is_empty() && again.document == *document).then_some(fields)
}

/// Moves a member into a field, where it can be shown as text.
fn take(from: &mut Object, member: &str, field: &str, fields: &mut Written, shown: impl Fn(&Value) -> Option<String>) {
    if let Some(text) = from.get(member).and_then(shown) {
        from.remove(member);
        fields.push((field.to_owned(), text));
    }
}

/// Moves members of an inner object; what stays of it is kept.
fn part(rest: &mut Object, name: &str, fields: &mut Written, inner: impl Fn(&mut Object, &mut Written)) {
    let Some(Value::Object(part)) = rest.get_mut(name) else { return };
    let empty = part.is_empty();
    inner(part, fields);
    if part.is_empty() && !empty {
        rest.remove(name);
    }
}

/// A text that a field gives back as it was: browsers and the form itself change blanks at the ends, line breaks, and what is
/// not seen.
fn text(value: &Value, lines: bool) -> Option<String> {
    let text = value.as_str()?;
    let odd = |c: char| (is_unseen(c) && !(lines && c == '\n')) || c == '\t';
    (!text.is_empty() && text.trim() == text && !text.chars().any(odd)).then(|| text.to_owned())
}

fn number(value: &Value) -> Option<String> {
    value.is_number().then(|| value.to_string())
}

/// One value of a parameter's type.
fn typed(value: &Value, kind: &str) -> Option<String> {
    match (kind, value) {
        ("integer" | "number", Value::Number(_)) | ("boolean", Value::Bool(_)) => Some(value.to_string()),
        ("integer" | "number" | "boolean", _) => None,
        (_, Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}

fn listed(value: &Value, kind: &str) -> Option<String> {
    let values: Option<Vec<String>> = value.as_array()?.iter().map(|value| typed(value, kind)).collect();
    let line = lists::write(values.filter(|values| !values.is_empty())?);
    let odd = |c: char| is_unseen(c);
    (!line.chars().any(odd)).then_some(line)
}

fn conditions(value: &Value, kind_of: impl Fn(&str) -> String) -> Option<String> {
    let conditions = value.as_object().filter(|conditions| !conditions.is_empty())?;
    let each = conditions.iter().map(|(name, values)| {
        let plain = text(&Value::from(name.as_str()), false).filter(|name| !name.contains([':', ';', ',', '"']))?;
        Some(format!("{plain}: {}", listed(values, &kind_of(name))?))
    });
    Some(each.collect::<Option<Vec<_>>>()?.join("; "))
}

fn steps(value: &Value) -> Option<String> {
    let steps: Option<Vec<String>> = value.as_array()?.iter().map(|step| text(step, false)).collect();
    steps.filter(|steps| !steps.is_empty()).map(|steps| steps.join("\n"))
}

fn outputs(value: &Value) -> Option<String> {
    pairs(value, ["name", "type"])
}

/// Objects of these two members, one a line.
fn pairs(value: &Value, [first, second]: [&str; 2]) -> Option<String> {
    let word = |object: &Object, name: &str| {
        object.get(name).and_then(|v| text(v, false)).filter(|word| !word.contains(char::is_whitespace))
    };
    let each = value.as_array()?.iter().map(|object| {
        let object = object.as_object().filter(|object| object.len() == 2)?;
        Some(format!("{} {}", word(object, first)?, word(object, second)?))
    });
    let lines: Option<Vec<String>> = each.collect();
    lines.filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n"))
}

/// The rows of both kinds. An empty list stays where it was: so does the choice between a flat list and two.
fn parameters(rest: &mut Object, fields: &mut Written) {
    let objects = |list: &[Value]| !list.is_empty() && list.iter().all(Value::is_object);
    match rest.get_mut("parameters") {
        Some(Value::Array(list)) if objects(list) => {
            let list = std::mem::take(list);
            exposed(&list, fields);
        }
        Some(Value::Object(lists)) => {
            let before = lists.len();
            for kind in ["exposed", "hidden"] {
                let Some(Value::Array(list)) = lists.get(kind) else { continue };
                if !objects(list) {
                    continue;
                }
                match kind {
                    "exposed" => exposed(list, fields),
                    _ => list.iter().enumerate().for_each(|(row, hidden)| hidden_row(hidden, row, fields)),
                }
                lists.remove(kind);
            }
            if lists.is_empty() && before > 0 {
                rest.remove("parameters");
            }
        }
        _ => {}
    }
}

fn exposed(list: &[Value], fields: &mut Written) {
    let kind_of = |name: &str| {
        let named = list.iter().find(|parameter| parameter["name"] == name);
        named.and_then(|parameter| parameter["type"].as_str()).unwrap_or_default().to_owned()
    };
    for (row, parameter) in list.iter().enumerate() {
        exposed_row(parameter, row, fields, kind_of);
    }
}

fn exposed_row(parameter: &Value, row: usize, fields: &mut Written, kind_of: impl Fn(&str) -> String) {
    let Some(mut rest) = parameter.as_object().cloned() else { return };
    let name = |member: &str| format!("exposed.{row}.{member}");
    let mut written = Written::new();
    take(&mut rest, "name", &name("name"), &mut written, |v| text(v, false));
    take(&mut rest, "description", &name("description"), &mut written, |v| text(v, true));
    let known =
        |v: &Value| v.as_str().filter(|w| ParameterType::WORDS.iter().any(|(word, _)| word == w)).map(str::to_owned);
    let kind = rest.get("type").and_then(known).unwrap_or_default();
    let typed = |value: &Value| typed(value, &kind).and_then(|shown| text(&Value::from(shown), false));
    take(&mut rest, "default", &name("default"), &mut written, typed);
    for list in ["enum", "examples"] {
        take(&mut rest, list, &name(list), &mut written, |v| listed(v, &kind));
    }
    take(&mut rest, "pattern", &name("pattern"), &mut written, |v| text(v, false));
    for bound in NUMBERS {
        take(&mut rest, bound, &name(bound), &mut written, number);
    }
    take(&mut rest, "depends_on", &name("depends_on"), &mut written, |v| conditions(v, &kind_of));
    rest.retain(|member, value| !(member == "type" && known(value).is_some()));
    let required = rest.get("required") == Some(&Value::Bool(true));
    if required {
        rest.remove("required");
    }
    // A row counts by what stands in it, and choices alone do not.
    if !rest.is_empty() || written.is_empty() {
        written.push((name(KEPT), ascii(&rest)));
    }
    if required {
        written.push((name("required"), "on".to_owned()));
    }
    written.push((name("type"), kind.clone()));
    fields.extend(written);
}

fn hidden_row(parameter: &Value, row: usize, fields: &mut Written) {
    let Some(mut rest) = parameter.as_object().cloned() else { return };
    let name = |member: &str| format!("hidden.{row}.{member}");
    let mut written = Written::new();
    take(&mut rest, "name", &name("name"), &mut written, |v| text(v, false));
    take(&mut rest, "value", &name("value"), &mut written, |v| text(v, false));
    take(&mut rest, "secret_ref", &name("secret"), &mut written, |v| {
        let secret = v.as_object().filter(|secret| secret.len() == 2)?;
        let (name, key) = (text(secret.get("name")?, false)?, text(secret.get("key")?, false)?);
        (!name.contains('/')).then(|| format!("{name}/{key}"))
    });
    take(&mut rest, "description", &name("description"), &mut written, |v| text(v, false));
    if !rest.is_empty() || written.is_empty() {
        written.push((name(KEPT), ascii(&rest)));
    }
    fields.extend(written);
}

/// JSON in which nothing stands that a page would not carry.
fn ascii(object: &Object) -> String {
    let text = Value::Object(object.clone()).to_string();
    let mut out = String::with_capacity(text.len());
    let mut units = [0; 2];
    for c in text.chars() {
        if matches!(c, ' '..='~') {
            out.push(c);
        } else {
            let escaped = c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}"));
            out.extend(escaped);
        }
    }
    out
}

/// What is kept beside the fields, each with its place in the document. Empty outlines and what means nothing are not told.
pub fn kept(fields: &Fields) -> Vec<(String, Value)> {
    let object = |name: &str| {
        let text = value(fields, name)?;
        serde_json::from_str::<Object>(text).ok()
    };
    let mut found = Vec::new();
    for (member, value) in object(KEPT).into_iter().flatten() {
        flatten(&join("", &member), &value, &mut found);
    }
    for kind in ["exposed", "hidden"] {
        for (index, row) in rows(fields, kind).into_iter().enumerate() {
            let at = join_index(&format!("/parameters/{kind}"), index);
            let members = object(&format!("{kind}.{row}.{KEPT}")).into_iter().flatten();
            found.extend(members.filter(|(m, v)| !(m == "required" && *v == false)).map(|(m, v)| (join(&at, &m), v)));
        }
    }
    found
}

fn flatten(at: &str, value: &Value, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(member, value)| flatten(&join(at, member), value, found)),
        Value::Array(items) if items.is_empty() => {}
        other => found.push((at.to_owned(), other.clone())),
    }
}
