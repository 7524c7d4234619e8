//! Which field of the form a place in the document belongs to: the way back from a fault's pointer to where it was typed, and
//! what that field is called.

use super::fields::{DOCUMENT, Fields, LABELS, rows, value};
use crate::context::FormOutcome;
use domain::fault::{Fault, code};

/// The faults of a form, and the rows that its document was made of.
#[derive(Clone, Debug, Default)]
pub struct Places {
    faults: Vec<Fault>,
    exposed: Vec<usize>,
    hidden: Vec<usize>,
    /// The names of the parameters, by row.
    names: Vec<(String, String)>,
    /// All that is typed is one text.
    document: bool,
}

impl Places {
    /// Of a form as it came back.
    pub fn new(form: &FormOutcome) -> Self {
        Self { faults: form.faults.clone(), ..Self::of(&form.fields) }
    }

    /// Of fields without faults.
    pub fn of(fields: &Fields) -> Self {
        let names = ["exposed", "hidden"].into_iter().flat_map(|kind| {
            rows(fields, kind).into_iter().filter_map(move |row| {
                let name = value(fields, &format!("{kind}.{row}.name"))?.trim().to_owned();
                Some((format!("{kind}.{row}"), name))
            })
        });
        Self {
            faults: Vec::new(),
            exposed: rows(fields, "exposed"),
            hidden: rows(fields, "hidden"),
            names: names.collect(),
            document: fields.iter().any(|(name, _)| name == DOCUMENT),
        }
    }

    /// The field that a pointer belongs to, as it is named in the form.
    pub fn field(&self, pointer: &str) -> Option<String> {
        if self.document {
            return Some(DOCUMENT.to_owned());
        }
        let parts: Vec<&str> = pointer.trim_start_matches('/').split('/').collect();
        match parts.as_slice() {
            ["labels", name, ..] if LABELS.contains(name) || *name == "tags" => Some((*name).to_owned()),
            ["parameters", "hidden", index, rest @ ..] => row("hidden", &self.hidden, index, rest),
            // A flat list: all of them are exposed.
            ["parameters", "exposed", index, rest @ ..] | ["parameters", index, rest @ ..] => {
                row("exposed", &self.exposed, index, rest)
            }
            ["execution", name @ ("timeout" | "retry_count" | "service_account" | "idempotent" | "capture"), ..]
            | [
                name @ ("workflow_id" | "version" | "title" | "description" | "container_image" | "image_pull_policy"
                | "risk" | "internal_steps" | "outputs"),
                ..,
            ] => Some((*name).to_owned()),
            _ => None,
        }
    }

    /// What is wrong with a field; more than one thing is joined.
    pub fn error(&self, field: &str) -> Option<String> {
        let here = self.faults.iter().filter(|fault| self.field(&fault.pointer).as_deref() == Some(field));
        let messages: Vec<String> = here.map(|fault| crate::error::sentence(&fault.message)).collect();
        (!messages.is_empty()).then(|| messages.join(" "))
    }

    /// What people call the field at a pointer: its label, with the parameter's name where it is one of many.
    pub fn label(&self, pointer: &str) -> Option<String> {
        let field = self.field(pointer).filter(|_| !self.document)?;
        let Some((row, member)) = field.rsplit_once('.') else { return Some(label(&field).to_owned()) };
        let name = self.names.iter().find(|(known, _)| known == row).map(|(_, name)| name.clone());
        let name = name.unwrap_or_else(|| {
            let (kind, number) = row.split_once('.').unwrap_or_default();
            let rows = if kind == "hidden" { &self.hidden } else { &self.exposed };
            let place = rows.iter().position(|known| known.to_string() == number).unwrap_or_default() + 1;
            format!("{} {place}", if kind == "hidden" { "Hidden parameter" } else { "Parameter" })
        });
        Some(format!("{name}, {}", label(member).to_lowercase()))
    }

    /// The labels of fields that are only not filled in yet, and the faults that are more than that.
    pub fn missing<'f>(&self, faults: &'f [Fault]) -> (Vec<(String, String)>, Vec<&'f Fault>) {
        let mut missing = Vec::new();
        let mut rest = Vec::new();
        for fault in faults {
            match (self.label(&fault.pointer), self.field(&fault.pointer)) {
                (Some(label), Some(field)) if fault.code == code::REQUIRED => missing.push((label, field)),
                _ => rest.push(fault),
            }
        }
        (missing, rest)
    }
}

/// The id of a field's control.
pub fn control(field: &str) -> String {
    format!("f-{}", field.replace('.', "-"))
}

/// The label of a field, or of a member of a row.
pub fn label(field: &str) -> &'static str {
    match field {
        "workflow_id" => "Id",
        "version" => "Version",
        "title" => "Title",
        "description" => "Description",
        "container_image" => "Container image",
        "image_pull_policy" => "Pulled",
        "risk" => "Risk",
        "signal_type" => "Signal",
        "severity" => "Severity",
        "component" => "Component",
        "environment" => "Environment",
        "priority" => "Priority",
        "risk_tolerance" => "Risk tolerance",
        "business_category" => "Business category",
        "category" => "Category",
        "tags" => "Tags",
        "timeout" => "Timeout",
        "retry_count" => "Retries",
        "service_account" => "Service account",
        "idempotent" => "Safe to repeat",
        "capture" => "Kept before a run",
        "internal_steps" => "Steps",
        "outputs" => "Outputs",
        "name" => "Name",
        "type" => "Type",
        "required" => "Needed",
        "default" => "Default",
        "enum" => "Allowed values",
        "pattern" => "Pattern",
        "minimum" => "Least",
        "maximum" => "Most",
        "min_length" => "Fewest characters",
        "max_length" => "Most characters",
        "examples" => "Examples",
        "depends_on" => "Only when",
        "value" => "Value",
        "secret" => "Secret",
        _ => "Registration",
    }
}

fn row(kind: &str, rows: &[usize], index: &str, rest: &[&str]) -> Option<String> {
    let row = rows.get(index.parse::<usize>().ok()?)?;
    let field = match rest.first().copied() {
        Some("secret_ref") => "secret",
        Some(
            name @ ("name" | "type" | "required" | "description" | "default" | "enum" | "pattern" | "minimum"
            | "maximum" | "min_length" | "max_length" | "examples" | "depends_on" | "value"),
        ) => name,
        // The row as a whole: of a hidden one its value is missing or there twice.
        None if kind == "hidden" => "value",
        // Something that the form has no field for: told at its name.
        _ => "name",
    };
    Some(format!("{kind}.{row}.{field}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> FormOutcome {
        let field = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        FormOutcome {
            fields: vec![
                field("exposed.0.type", "string"),
                field("exposed.3.name", "A"),
                field("exposed.5.description", "B"),
                field("hidden.1.name", "C"),
            ],
            faults: vec![Fault::new("/parameters/exposed/1/enum/2", "x", "no")],
            ..FormOutcome::default()
        }
    }

    #[test]
    fn pointers_lead_back_to_where_it_was_typed() {
        let places = Places::new(&form());
        assert_eq!(places.field("/parameters/exposed/1/enum/2").as_deref(), Some("exposed.5.enum"));
        assert_eq!(places.field("/parameters/1/enum").as_deref(), Some("exposed.5.enum"));
        assert_eq!(places.field("/parameters/hidden/0/secret_ref/key").as_deref(), Some("hidden.1.secret"));
        assert_eq!(places.field("/parameters/hidden/0").as_deref(), Some("hidden.1.value"));
        assert_eq!(places.field("/parameters/exposed/0").as_deref(), Some("exposed.3.name"));
        assert_eq!(places.field("/labels/tags/4").as_deref(), Some("tags"));
        assert_eq!(places.field("/remediation_steps/0"), None);
        assert_eq!(places.field("/parameters/exposed/9/name"), None);
        assert_eq!(places.error("exposed.5.enum").as_deref(), Some("No."));
    }

    #[test]
    fn a_place_is_called_as_the_form_calls_it() {
        let places = Places::new(&form());
        assert_eq!(places.label("/container_image").as_deref(), Some("Container image"));
        assert_eq!(places.label("/parameters/exposed/0/maximum").as_deref(), Some("A, most"));
        assert_eq!(places.label("/parameters/exposed/1/name").as_deref(), Some("Parameter 2, name"));
        assert_eq!(places.label("/nowhere"), None);
        let faults = [("/version", code::REQUIRED), ("/title", code::TOO_LONG), ("", code::REQUIRED)];
        let faults = faults.map(|(pointer, code)| Fault::new(pointer, code, "mend it"));
        let (missing, rest) = places.missing(&faults);
        assert_eq!((missing.len(), rest.len()), (1, 2));
    }

    #[test]
    fn in_a_document_every_place_is_the_document() {
        let form = FormOutcome { fields: vec![("document".into(), "{}".into())], ..FormOutcome::default() };
        let places = Places::new(&form);
        assert_eq!(places.field("/version").as_deref(), Some("document"));
        assert_eq!(places.label("/version"), None);
    }
}
