//! What the description says of every call alike, told once: which problems it may answer with, which headers it takes, and
//! the forms of what is sent (`forms.json`). It follows from what each route declares.

use crate::doors::{
    access::{Access, Declared},
    idempotency, problem,
};
use axum::http::Method;
use domain::identity::Role;
use serde_json::{Map, Value, json};

/// The forms of what is sent, as JSON Schema: what the readers take, no more and no less.
const FORMS: &str = include_str!("forms.json");

/// An example of each form.
const EXAMPLES: &str = include_str!("examples.json");

/// What is sent where.
const SENT: [(&str, &str); 24] = [
    ("/api/v1/playbooks", "RegistrationForm"),
    ("/api/v1/playbooks/validate", "RegistrationForm"),
    ("/api/v1/playbooks/{workflow_id}/versions/{version}/status", "StatusForm"),
    ("/api/v1/recommendations", "RecommendationForm"),
    ("/api/v1/recommendations/{id}/tickets", "TicketForm"),
    ("/api/v1/recommendations/{id}/decisions", "DecisionForm"),
    ("/api/v1/executions", "StepsForm"),
    (ALERTS, "AlertmanagerForm"),
    (INVESTIGATE, "InvestigationForm"),
    ("/api/v1/incidents/{id}/close", "CloseForm"),
    (CANCEL, "CancelForm"),
    ("/api/v1/executions/{id}/assessment", "AssessmentForm"),
    (LISTING, "ListingForm"),
    (ROLLBACK, "RollbackForm"),
    (RETRY, "RetryForm"),
    ("/api/v1/findings/{id}/status", "TriageForm"),
    ("/api/v1/findings/{id}/recommendation", "TurnForm"),
    ("/api/v1/audit/exports", "ExportForm"),
    ("/api/v1/policies", "PolicyForm"),
    ("/api/v1/policies/validate", "PolicyForm"),
    ("/api/v1/policies/{version}/activate", "ActivationForm"),
    (REDELIVER, "NotificationForm"),
    (DISCARD, "NotificationForm"),
    (TEST, "NotificationForm"),
];
const ALERTS: &str = "/api/v1/signals/alertmanager";
const INVESTIGATE: &str = "/api/v1/incidents/{id}/investigations";
const CANCEL: &str = "/api/v1/executions/{id}/cancel";
const LISTING: &str = "/api/v1/executions/{id}/workspaces/{workspace}/listing";
const REDELIVER: &str = "/api/v1/notifications/{id}/redeliver";
const DISCARD: &str = "/api/v1/notifications/{id}/discard";
const TEST: &str = "/api/v1/notifications/receivers/{receiver}/test";
const ROLLBACK: &str = "/api/v1/executions/{id}/rollback";
const RETRY: &str = "/api/v1/executions/{id}/retry";
/// Those whose body may be left out.
const OPTIONAL: [&str; 8] = [CANCEL, LISTING, ROLLBACK, RETRY, REDELIVER, DISCARD, TEST, INVESTIGATE];
/// What can be changed by who says what they have read.
const EDITED: [&str; 2] =
    ["/api/v1/playbooks/{workflow_id}/versions/{version}/status", "/api/v1/recommendations/{id}/decisions"];
/// What has an entity tag.
const TAGGED: [&str; 3] = [
    "/api/v1/playbooks/{workflow_id}/versions/{version}",
    "/api/v1/playbooks/{workflow_id}/versions/{version}/schema",
    "/api/v1/recommendations/{id}",
];

/// Completes the document.
pub fn complete(document: &mut Value, declared: &[Declared]) {
    let forms: Map<String, Value> = serde_json::from_str(FORMS).unwrap_or_default();
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.extend(forms);
    }
    let examples: Map<String, Value> = serde_json::from_str(EXAMPLES).unwrap_or_default();
    for route in declared {
        let method = route.method.as_str().to_lowercase();
        let item = document.get_mut("paths").and_then(|paths| paths.get_mut(route.path));
        if let Some(operation) = item.and_then(|item| item.get_mut(method)) {
            describe(operation, route, &examples);
        }
    }
}

fn describe(operation: &mut Value, route: &Declared, examples: &Map<String, Value>) {
    let writes = route.method == Method::POST;
    let (edited, tagged) = (writes && EDITED.contains(&route.path), !writes && TAGGED.contains(&route.path));
    if operation["parameters"].is_null() {
        operation["parameters"] = json!([]);
    }
    if let Some(parameters) = operation["parameters"].as_array_mut() {
        let mut header = |name: &str, schema: Value, what: &str| {
            parameters.push(json!({
                "name": name, "in": "header", "required": false, "description": what, "schema": schema,
            }));
        };
        if writes {
            let schema = json!({ "type": "string", "minLength": 1, "maxLength": idempotency::MAX_KEY });
            let what = if idempotency::keeps(route.path) {
                "the same key and body again get the first answer again, for a day"
            } else {
                "makes no difference: this answer is not kept, the same key again is answered anew"
            };
            header("Idempotency-Key", schema, what);
        }
        if edited {
            header("If-Match", json!({ "type": "string" }), "only from the state with this entity tag");
        }
        if tagged {
            header("If-None-Match", json!({ "type": "string" }), "304 when this entity tag is the current one");
        }
    }
    for (status, what) in problems(route, edited) {
        operation["responses"][status] = json!({
            "description": what,
            "content": { problem::MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } } },
        });
    }
    if tagged {
        operation["responses"]["304"] = json!({ "description": "what the caller has is current" });
    }
    if let Some((_, form)) = SENT.iter().find(|(path, _)| writes && *path == route.path) {
        operation["requestBody"] = json!({
            "required": !OPTIONAL.contains(&route.path),
            "content": { "application/json": {
                "schema": { "$ref": format!("#/components/schemas/{form}") }, "example": examples.get(*form),
            } },
        });
    }
    if let Access::Needs(right) = route.access {
        operation["x-required-right"] = json!(right.name());
        let roles: Vec<_> = Role::ALL.into_iter().filter(|role| role.grants(right)).map(Role::name).collect();
        operation["x-roles"] = json!(roles);
    }
}

/// The problems that a call may answer with.
fn problems(route: &Declared, edited: bool) -> Vec<(&'static str, &'static str)> {
    let mut all = vec![
        ("401", "nobody is signed in"),
        ("414", "the address is too long"),
        ("421", "this is not meant for this console: the header Host names another"),
        ("422", "rules are broken: errors says which, and where"),
        ("429", "too many requests: Retry-After says when to come back"),
        ("503", "a neighbour is not there: Retry-After says when to come back"),
    ];
    if matches!(route.access, Access::Needs(_)) {
        all.push(("403", "too little right: required_right says which is missing"));
    }
    if route.path.contains('{') {
        all.push(("404", "there is no such thing"));
    }
    if route.method == Method::POST {
        all.extend([
            ("400", "the Idempotency-Key is none"),
            ("408", "the body did not come whole in its time"),
            ("409", "it clashes with what is there, or the Idempotency-Key was used for something else"),
            ("413", "the body is too long"),
            ("415", "the body is not JSON, or it is packed"),
        ]);
    }
    if edited {
        all.push(("412", "it has changed since it was read: ETag is its entity tag now"));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doors::{declared, rest::openapi::described};
    use std::collections::BTreeSet;

    #[test]
    fn what_is_served_is_described_and_nothing_else() {
        let routes = declared();
        let served: BTreeSet<String> =
            routes.iter().filter(|r| r.path.starts_with("/api/")).map(|r| format!("{} {}", r.method, r.path)).collect();
        let document = described();
        let described: BTreeSet<String> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| {
                item.as_object().unwrap().keys().map(move |m| format!("{} {path}", m.to_uppercase()))
            })
            .collect();
        assert_eq!(served, described);
    }

    #[test]
    fn every_post_says_what_it_takes() {
        let routes = declared();
        let document = described();
        for route in routes.iter().filter(|r| r.path.starts_with("/api/") && r.method == Method::POST) {
            let operation = &document["paths"][route.path]["post"];
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let form = schema.as_str().and_then(|r| r.strip_prefix('#')).and_then(|p| document.pointer(p));
            // Alertmanager's form is another project's, which grows.
            let open = route.path == ALERTS;
            assert!(form.is_some_and(|f| f["additionalProperties"] == open), "{} takes {schema}", route.path);
        }
    }
}
