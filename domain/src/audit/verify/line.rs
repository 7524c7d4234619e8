//! Reading the lines of an export: rows, and the last line, which tells the end.

use super::{End, Row};
use crate::{
    audit::{Head, Mac},
    json::strict::{self, Limits},
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A line holds one row; the longest that the console writes are far shorter.
const LIMITS: Limits = Limits { bytes: 16 << 20, depth: 126 };

/// A line of an export.
pub(super) enum Line {
    Row(Row),
    End(End),
}

/// Reads a line; why it is none, in words.
pub(super) fn read(bytes: &[u8]) -> Result<Line, String> {
    let Value::Object(mut members) = strict::parse(bytes, LIMITS).map_err(|error| error.to_string())? else {
        return Err("it is no object".into());
    };
    if members.contains_key("end") {
        return read_end(members).map(Line::End).ok_or_else(|| "it is no end of an export".into());
    }
    let mut mac = |name: &str| match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => Option::<Mac>::deserialize(value).map_err(|error| format!("{name}: {error}")),
    };
    let (previous, mac) = (mac("previous")?, mac("mac")?);
    let sequence = members.get("sequence").and_then(Value::as_i64).ok_or("it has no sequence")?;
    let key = members.get("key").and_then(Value::as_str).map(str::to_owned);
    Ok(Line::Row(Row { sequence, key, content: Value::Object(members), previous, mac }))
}

fn read_end(mut members: Map<String, Value>) -> Option<End> {
    let mut end = members.remove("end")?;
    let seal = members.remove("seal").and_then(|seal| Mac::deserialize(seal).ok());
    match end.as_object_mut()?.remove("whole")? {
        Value::Bool(true) if members.is_empty() => Some(End::All { head: Head::deserialize(end).ok()?.into(), seal }),
        Value::Bool(false) if members.is_empty() => Some(End::Some { rows: end.get("rows")?.as_u64()? }),
        _ => None,
    }
}
