//! The description and what is served must not differ. (That every route is described and nothing else, the server's own tests
//! say, which know the routes.)

use crate::support::{Caller, Console, seed};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn every_call_tells_its_problems_and_headers() {
    let console = Console::start();
    let document = console.token("viewer", "viewer").get("/api/v1/openapi.json").await.expect(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let mut wanted = vec!["401", "422", "429"];
            if path.contains('{') {
                wanted.push("404");
            }
            if method == "post" {
                wanted.extend(["400", "403", "409", "413", "415"]);
            }
            for status in wanted {
                let schema = &operation["responses"][status]["content"]["application/problem+json"]["schema"];
                assert_eq!(schema["$ref"], "#/components/schemas/Problem", "{method} {path} {status}");
            }
            let parameters = operation["parameters"].as_array().unwrap();
            let header = |name: &str| parameters.iter().any(|p| p["in"] == "header" && p["name"] == name);
            assert_eq!(header("Idempotency-Key"), method == "post", "{method} {path}");
            let moved = operation["responses"].get("412").is_some();
            assert_eq!(header("If-Match"), moved, "{method} {path}");
        }
    }
    let schemas = &document["components"]["schemas"];
    let errors = &schemas["Problem"]["properties"]["errors"];
    assert_eq!(errors["items"]["$ref"], "#/components/schemas/Fault", "{errors}");
    for member in ["pointer", "code", "message"] {
        assert!(schemas["Fault"]["properties"][member].is_object(), "{member}");
    }
    // Nothing refers to what is not there.
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}

/// The members that the reader says it knows, asked with one that it does not.
async fn known(admin: &Caller<'_>, path: &str) -> BTreeSet<String> {
    let answer = admin.post(path, &json!({ "zzzzzzzz": 1 })).await;
    let errors = answer.json["errors"].as_array().unwrap_or_else(|| panic!("{path}: {}", answer.text));
    let unknown = errors.iter().find(|e| e["code"] == "unknown_field").expect("it is refused");
    let (_, names) = unknown["message"].as_str().unwrap().split_once("known here are: ").unwrap();
    names.split(", ").map(str::to_owned).collect()
}

#[tokio::test]
async fn the_forms_are_what_the_readers_take() {
    let console = Console::start();
    let admin = console.token("admin", "admin");
    let document = admin.get("/api/v1/openapi.json").await.expect(200);
    let form = |path: &str| -> Value {
        let schema = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"];
        document.pointer(&schema["$ref"].as_str().unwrap()[1..]).unwrap().clone()
    };
    for (template, path) in [
        ("/api/v1/playbooks", "/api/v1/playbooks"),
        ("/api/v1/playbooks/validate", "/api/v1/playbooks/validate"),
        ("/api/v1/playbooks/{workflow_id}/versions/{version}/status", "/api/v1/playbooks/x/versions/1.0.0/status"),
        ("/api/v1/recommendations", "/api/v1/recommendations"),
        ("/api/v1/recommendations/{id}/tickets", "/api/v1/recommendations/x/tickets"),
        ("/api/v1/recommendations/{id}/decisions", "/api/v1/recommendations/x/decisions"),
        ("/api/v1/executions", "/api/v1/executions"),
        ("/api/v1/executions/{id}/cancel", "/api/v1/executions/x/cancel"),
        ("/api/v1/executions/{id}/rollback", "/api/v1/executions/x/rollback"),
        ("/api/v1/executions/{id}/retry", "/api/v1/executions/x/retry"),
        ("/api/v1/findings/{id}/status", "/api/v1/findings/x/status"),
        ("/api/v1/incidents/{id}/close", "/api/v1/incidents/x/close"),
        ("/api/v1/findings/{id}/recommendation", "/api/v1/findings/x/recommendation"),
        ("/api/v1/executions/{id}/assessment", "/api/v1/executions/x/assessment"),
        ("/api/v1/audit/exports", "/api/v1/audit/exports"),
        ("/api/v1/policies", "/api/v1/policies"),
        ("/api/v1/policies/validate", "/api/v1/policies/validate"),
        ("/api/v1/policies/{version}/activate", "/api/v1/policies/1/activate"),
    ] {
        let described: BTreeSet<String> = form(template)["properties"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(described, known(&admin, path).await, "{template}");
        let empty = admin.post(path, &json!({})).await;
        let needed: BTreeSet<String> =
            empty.faults().into_iter().filter(|(_, code)| code == "required").map(|(p, _)| p[1..].to_owned()).collect();
        // Where one of several is needed, the reader asks for the first.
        let mut required = form(template)["required"].as_array().cloned().unwrap_or_default();
        required.extend(form(template)["oneOf"][0]["required"].as_array().cloned().unwrap_or_default());
        let required: BTreeSet<String> = required.iter().map(|n| n.as_str().unwrap().to_owned()).collect();
        assert_eq!(required, needed, "{template}");
    }
}

#[tokio::test]
async fn the_seeds_are_of_the_described_forms() {
    let console = Console::start();
    let document = console.token("viewer", "viewer").get("/api/v1/openapi.json").await.expect(200);
    let fits = |form: &str, value: &Value| {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": format!("#/components/schemas/{form}"), "components": document["components"],
        });
        let validator = jsonschema::validator_for(&schema).unwrap();
        validator.iter_errors(value).map(|e| e.to_string()).collect::<Vec<_>>()
    };
    for name in [
        "oomkill-scale-down",
        "oomkill-increase-memory",
        "oomkill-optimize-application",
        "oomkill-cost-optimized",
        "hidden-oomkill-scale-down",
        "hidden-oomkill-increase-memory",
        "hidden-oomkill-optimize-application",
    ] {
        assert_eq!(fits("RegistrationForm", &seed(&format!("{name}.json"))), Vec::<String>::new(), "{name}");
    }
    assert_eq!(fits("RecommendationForm", &crate::support::recommendation("inc-1")), Vec::<String>::new());
    assert_eq!(fits("StepsForm", &seed("workflow-execution-spec.json")), Vec::<String>::new());
    assert!(!fits("StatusForm", &json!({ "status": "old" })).is_empty());
    // Every example is one.
    let mut examples = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let content = &item["post"]["requestBody"]["content"]["application/json"];
        if let Some(form) = content["schema"]["$ref"].as_str() {
            assert_eq!(fits(form.rsplit('/').next().unwrap(), &content["example"]), Vec::<String>::new(), "{path}");
            examples += 1;
        }
    }
    assert_eq!(examples, 24);
    let register = &document["paths"]["/api/v1/playbooks"]["post"];
    assert_eq!(
        (&register["x-required-right"], &register["x-roles"]),
        (&json!("catalog:write"), &json!(["author", "admin"]))
    );
}
