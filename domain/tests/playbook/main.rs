//! What the playbook module promises, tried from outside: the seeds, every rule with an example that breaks it, the schema that
//! a model is shown, and the judging of values.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly, its helpers too")]

mod depends_on;
mod properties;
mod registration;
mod seeds;
mod values;

use domain::fault::Fault;
use domain::playbook::Registration;
use serde_json::Value;

/// The seeds' registrations, by file name.
const SEEDS: [(&str, &str); 7] = [
    ("oomkill-scale-down", include_str!("../seeds/oomkill-scale-down.json")),
    ("oomkill-increase-memory", include_str!("../seeds/oomkill-increase-memory.json")),
    ("oomkill-optimize-application", include_str!("../seeds/oomkill-optimize-application.json")),
    ("oomkill-cost-optimized", include_str!("../seeds/oomkill-cost-optimized.json")),
    ("hidden-oomkill-scale-down", include_str!("../seeds/hidden-oomkill-scale-down.json")),
    ("hidden-oomkill-increase-memory", include_str!("../seeds/hidden-oomkill-increase-memory.json")),
    ("hidden-oomkill-optimize-application", include_str!("../seeds/hidden-oomkill-optimize-application.json")),
];

/// A seed as it was written.
fn sent(name: &str) -> Value {
    let (_, text) = SEEDS.iter().find(|(file, _)| *file == name).expect("a seed");
    serde_json::from_str(text).expect("JSON")
}

/// A seed as it was understood.
fn seed(name: &str) -> Registration {
    parse(&sent(name))
}

fn parse(value: &Value) -> Registration {
    Registration::parse(value).unwrap_or_else(|faults| panic!("{:#?}", faults.into_vec()))
}

/// Puts a value at a JSON Pointer whose parent is there; `-` appends.
fn put(document: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    match document.pointer_mut(parent).expect("the parent") {
        Value::Object(members) => {
            members.insert(name.to_owned(), value);
        }
        Value::Array(items) if name == "-" => items.push(value),
        Value::Array(items) => items[name.parse::<usize>().expect("an index")] = value,
        other => panic!("{other} has no members"),
    }
}

fn places(faults: &[Fault]) -> Vec<(&str, &str)> {
    faults.iter().map(|fault| (fault.pointer.as_str(), fault.code.as_ref())).collect()
}
