//! What tools are called with, read as strictly as every body: every fault at once, with its path and what to send instead.

use domain::{
    fault::Faults,
    playbook::{PlaybookId, Version},
    ports::{CatalogFilter, PlaybookStatus},
    reader::{self, ObjectReader},
    services::{Answer, ServiceError},
};
use serde_json::Value;

/// How many hits a search answers where nothing is said.
const HITS: i64 = 5;
/// And at most.
const MOST_HITS: i64 = 20;
/// The most tags that are asked for at once.
const MOST_TAGS: usize = 32;

/// What is searched for, and how many are wanted.
pub fn search(sent: &Value) -> Answer<(CatalogFilter, usize)> {
    read(sent, |object| {
        let signal_type = object.optional("signal_type", reader::line(1..=128));
        let severity = object.optional("severity", reader::line(1..=128));
        let component = object.optional("component", reader::line(1..=128));
        let environment = object.optional("environment", reader::line(1..=128));
        let priority = object.optional("priority", reader::line(1..=128));
        let risk_tolerance = object.optional("risk_tolerance", reader::line(1..=128));
        let business_category = object.optional("business_category", reader::line(1..=128));
        let category = object.optional("category", reader::line(1..=128));
        let tags = object.optional("tags", reader::array(0..=MOST_TAGS, reader::line(1..=128)));
        let q = object.optional("query", reader::line(1..=256));
        let limit = object.optional("limit", reader::integer(1..=MOST_HITS)).unwrap_or(HITS);
        let filter = CatalogFilter {
            q,
            signal_type,
            severity,
            component,
            environment,
            priority,
            risk_tolerance,
            business_category,
            category,
            tags: tags.unwrap_or_default(),
            status: Some(PlaybookStatus::Active),
        };
        Some((filter, usize::try_from(limit).unwrap_or(1)))
    })
}

/// Which playbook, and which version of it if one is named.
pub fn version(sent: &Value) -> Answer<(PlaybookId, Option<Version>)> {
    read(sent, |object| {
        let id = object.required("workflow_id", reader::parsed::<PlaybookId>());
        let version = object.optional("version", reader::parsed::<Version>());
        Some((id?, version))
    })
}

/// Which playbook.
pub fn playbook(sent: &Value) -> Answer<PlaybookId> {
    read(sent, |object| object.required("workflow_id", reader::parsed::<PlaybookId>()))
}

fn read<T>(sent: &Value, members: impl FnOnce(&mut ObjectReader<'_, '_>) -> Option<T>) -> Answer<T> {
    let mut faults = Faults::new();
    let mut object = ObjectReader::new(sent, "", &mut faults);
    let read = members(&mut object);
    object.finish();
    match read {
        Some(read) if faults.is_empty() => Ok(read),
        _ => Err(ServiceError::Invalid(faults.into_vec())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused<T>(answer: Answer<T>) -> Vec<(String, String)> {
        match answer {
            Err(ServiceError::Invalid(faults)) => {
                faults.into_iter().map(|fault| (fault.pointer, fault.message)).collect()
            }
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it is refused"),
        }
    }

    #[test]
    fn a_search_takes_what_it_says_and_nothing_else() {
        let (filter, limit) =
            search(&json!({ "signal_type": "OOMKilled", "tags": ["memory"], "query": "scale" })).unwrap();
        assert_eq!((filter.signal_type.as_deref(), filter.q.as_deref(), limit), (Some("OOMKilled"), Some("scale"), 5));
        assert_eq!(filter.status, Some(PlaybookStatus::Active));
        let faults = refused(search(&json!({ "signal": "OOMKilled", "limit": "3", "tags": "memory" })));
        let told =
            |pointer: &str| faults.iter().find(|(at, _)| at == pointer).map(|(_, message)| message.as_str()).unwrap();
        assert!(told("/signal").contains("did you mean \"signal_type\"?"));
        assert!(told("/limit").contains("write 3 without quotes"));
        assert!(told("/tags").contains("send a list […]"));
    }

    #[test]
    fn a_playbook_is_named() {
        assert_eq!(refused(version(&json!({})))[0].0, "/workflow_id");
        assert_eq!(
            refused(version(&json!({ "workflow_id": "oomkill-scale-down", "version": "one" })))[0].0,
            "/version"
        );
        assert!(playbook(&json!({ "workflow_id": "oomkill-scale-down" })).is_ok());
    }
}
