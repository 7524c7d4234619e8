//! Why a playbook was found, in a few words.

use super::{Question, Ranked, Texts, labels::asked};
use crate::{playbook::Registration, ports::CatalogFilter};

/// Why it was found, in the order in which it counted. `ranked` is its place in a search by words.
pub fn reasons(filter: &CatalogFilter, registration: &Registration, ranked: Option<&Ranked>) -> Vec<String> {
    let labels = asked(filter, &registration.labels).into_iter().filter_map(|(label, wanted, has)| {
        let name = if label == "signal_type" { "signal".to_owned() } else { label.replace('_', " ") };
        Some(if has? == wanted { format!("{name} {wanted}") } else { format!("any {name}") })
    });
    let mut why: Vec<String> = labels.collect();
    why.extend(filter.tags.iter().map(|tag| format!("tag {tag}")));
    let (Some(q), Some(ranked)) = (&filter.q, ranked) else { return why };
    if ranked.by_text {
        let question = Question::of(q);
        let found = question.found_in(&Texts::of(registration));
        why.push(if found.len() == question.terms.len() || found.is_empty() {
            format!("text \"{q}\"")
        } else {
            format!("text \"{}\"", found.join(" "))
        });
    }
    if let Some(alike) = ranked.alike {
        why.push(format!("meaning, {:.0} % alike", alike * 100.0));
    }
    why
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::CatalogHit;
    use serde_json::json;

    #[test]
    fn labels_tags_text_and_meaning_each_say_so() {
        let registration: Registration = serde_json::from_value(json!({
            "workflow_id": "x", "version": "1.0.0", "title": "Give it memory", "description": "More of it.",
            "container_image": "quay.io/kubernaut/mender:v1",
            "labels": { "signal_type": "OOMKilled", "severity": "*", "tags": ["memory"] },
        }))
        .expect("a registration");
        let filter = CatalogFilter {
            q: Some("memory leak".into()),
            signal_type: Some("OOMKilled".into()),
            severity: Some("high".into()),
            tags: vec!["memory".into()],
            ..CatalogFilter::default()
        };
        let labels = ["signal OOMKilled", "any severity", "tag memory"];
        assert_eq!(reasons(&filter, &registration, None), labels);
        let hit =
            CatalogHit { id: "x".parse().expect("an id"), version: "1.0.0".parse().expect("a version"), general: 0 };
        let ranked = Ranked { hit: hit.clone(), by_text: true, alike: Some(0.624) };
        assert_eq!(reasons(&filter, &registration, Some(&ranked))[3..], ["text \"memory\"", "meaning, 62 % alike"]);
        let ranked = Ranked { hit, by_text: false, alike: Some(0.3) };
        assert_eq!(reasons(&filter, &registration, Some(&ranked))[3..], ["meaning, 30 % alike"]);
    }
}
