//! The fields of the register form: their names, how rows are numbered, and what counts as typed. A row's fields are named
//! `exposed.<row>.<member>`; the numbers only tell rows apart, their order is the document's.

/// The fields as they are sent.
pub type Fields = [(String, String)];

/// Holds a whole document, as JSON or YAML: then there are no other fields of the registration.
pub const DOCUMENT: &str = "document";
/// A document that is to become the form.
pub const PASTE: &str = "paste";
/// What the form has no field for, as JSON; rows have one of their own.
pub const KEPT: &str = "kept";
/// The version that it starts from, `id@version`.
pub const FROM: &str = "from";
/// How the document is written: `json` or `yaml`.
pub const AS: &str = "as";
/// There once the form came back with faults.
pub const CAME_BACK: &str = "came_back";
/// The version that somebody was asked whether to register again under another number.
pub const SAME: &str = "same";
/// Where the focus goes after a row was added or removed: never sent by a browser.
pub const FOCUS: &str = "focus";

/// Members of the registration that are one text.
pub const TEXTS: [&str; 7] =
    ["workflow_id", "version", "title", "description", "container_image", "image_pull_policy", "risk"];
/// The text labels, as they are named on the wire.
pub const LABELS: [&str; 8] = [
    "signal_type",
    "severity",
    "component",
    "environment",
    "priority",
    "risk_tolerance",
    "business_category",
    "category",
];
/// Numbers of a parameter.
pub const NUMBERS: [&str; 4] = ["minimum", "maximum", "min_length", "max_length"];

/// The last value of that name that is not blank.
pub fn value<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.trim().is_empty())
}

/// The fields with lines that end as they were typed: browsers send two characters.
pub fn normal(fields: &Fields) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| (name.clone(), value.replace("\r\n", "\n"))).collect()
}

/// The row and member of a field of this kind of rows.
fn row_of<'f>(name: &'f str, kind: &str) -> Option<(usize, &'f str)> {
    let (row, member) = name.strip_prefix(kind)?.strip_prefix('.')?.split_once('.')?;
    Some((row.parse().ok()?, member))
}

fn sorted(mut rows: Vec<usize>) -> Vec<usize> {
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// The numbers of the rows of a kind (`exposed`, `hidden`) that have anything typed in them, in their order: the index in the
/// document is the place in this list.
pub fn rows(fields: &Fields, kind: &str) -> Vec<usize> {
    let typed = fields.iter().filter(|(_, value)| !value.trim().is_empty()).filter_map(|(name, _)| {
        let (row, member) = row_of(name, kind)?;
        // Choices always carry a value: they alone do not make a row.
        (!matches!(member, "type" | "required")).then_some(row)
    });
    sorted(typed.collect())
}

/// The numbers of all rows of a kind, blank ones too.
pub fn present(fields: &Fields, kind: &str) -> Vec<usize> {
    sorted(fields.iter().filter_map(|(name, _)| Some(row_of(name, kind)?.0)).collect())
}

/// The version that the fields start from.
pub fn from(fields: &Fields) -> Option<&str> {
    value(fields, FROM).map(str::trim)
}
