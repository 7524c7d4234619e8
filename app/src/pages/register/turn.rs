//! Buttons that change what is shown and nothing else: a row more or less, the form as a document and back, the version that
//! the changes ask for. Each is a plain submit, answered with the same page.

use super::{
    fields::{AS, CAME_BACK, DOCUMENT, FOCUS, FROM, Fields, PASTE, normal, present, value},
    read::{self, Reading},
    text::{self, Syntax},
    write,
};
use domain::{
    fault::{Fault, code},
    services::{Answer, ServiceError},
};

/// What the fields become by this button; none where it is no button of this kind.
pub fn turn(fields: &Fields, action: &str) -> Option<Answer<Vec<(String, String)>>> {
    let mut fields = normal(fields);
    // Which button was pressed is no part of what was typed.
    fields.retain(|(name, _)| name != "action");
    let parts: Vec<&str> = action.splitn(3, '.').collect();
    Some(match parts.as_slice() {
        ["add", kind @ ("exposed" | "hidden")] => Ok(added(fields, kind)),
        ["remove", kind @ ("exposed" | "hidden"), row] => Ok(removed(fields, kind, row)),
        ["as", "form"] => as_form(&fields),
        ["as", word] => as_text(&fields, Syntax::from_name(word)?),
        ["version", ..] => Ok(set(fields, "version", action.trim_start_matches("version."))),
        _ => return None,
    })
}

fn set(mut fields: Vec<(String, String)>, name: &str, value: &str) -> Vec<(String, String)> {
    fields.retain(|(n, _)| n != name);
    fields.push((name.to_owned(), value.to_owned()));
    fields
}

fn added(fields: Vec<(String, String)>, kind: &str) -> Vec<(String, String)> {
    let row = present(&fields, kind).last().map_or(0, |last| last + 1);
    let first = format!("{kind}.{row}.name");
    let mut fields = set(fields, FOCUS, &first);
    fields.push((first, String::new()));
    if kind == "exposed" {
        fields.push((format!("{kind}.{row}.type"), "string".to_owned()));
    }
    fields
}

/// Without a row; the next one gets the focus, or the button that adds one.
fn removed(mut fields: Vec<(String, String)>, kind: &str, row: &str) -> Vec<(String, String)> {
    let prefix = format!("{kind}.{row}.");
    fields.retain(|(name, _)| !name.starts_with(&prefix));
    let gone = row.parse().unwrap_or(0);
    let rows = present(&fields, kind);
    let next = rows.iter().find(|row| **row > gone).or(rows.last());
    let focus = next.map_or_else(|| format!("add.{kind}"), |row| format!("{kind}.{row}.name"));
    set(fields, FOCUS, &focus)
}

/// What the forms have in common.
fn common(fields: &Fields) -> Vec<(String, String)> {
    let kept = fields.iter().filter(|(name, _)| name == FROM || name == CAME_BACK);
    kept.cloned().collect()
}

fn as_form(fields: &Fields) -> Answer<Vec<(String, String)>> {
    // In the form itself a text may have been pasted; from a document it is the document.
    let document = match value(fields, PASTE) {
        Some(text) => read::parse(text).map_err(|fault| refused(vec![fault]))?,
        None => clean(fields)?,
    };
    let mut shown = write::fields(&document).ok_or_else(|| {
        let message = "this has not the outline of a registration, and a form can't hold it: labels and execution are objects, \
                       parameters a list or an object of lists";
        refused(vec![Fault::new("", code::WRONG_TYPE, message)])
    })?;
    shown.extend(common(fields));
    Ok(shown)
}

fn as_text(fields: &Fields, syntax: Syntax) -> Answer<Vec<(String, String)>> {
    let document = clean(fields)?;
    let written = text::write(&document, syntax);
    // What a library writes another may read differently: then nothing is turned.
    if read::parse(&written).ok().as_ref() != Some(&document) {
        let message = format!("this can't be written as {} without loss; use the other one", syntax.word());
        return Err(refused(vec![Fault::new("", code::MALFORMED, message)]));
    }
    let mut shown = common(fields);
    shown.push((DOCUMENT.to_owned(), written));
    shown.push((AS.to_owned(), syntax.name().to_owned()));
    Ok(shown)
}

/// The document, unless something typed would be lost with it.
fn clean(fields: &Fields) -> Answer<serde_json::Value> {
    // An empty text becomes an empty form.
    if value(fields, DOCUMENT).is_none() && fields.iter().any(|(name, _)| name == DOCUMENT) {
        return Ok(serde_json::Value::Object(serde_json::Map::new()));
    }
    let Reading { document, faults } = read::read(fields);
    if faults.is_empty() { Ok(document) } else { Err(refused(faults)) }
}

fn refused(faults: Vec<Fault>) -> ServiceError {
    ServiceError::Invalid(faults)
}
