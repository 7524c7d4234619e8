//! What tools answer: short JSON, and of errors a text that a model can act on. Of a playbook it tells what a model may see, whoever asks.

use crate::{
    doors::problem::Problem,
    services::models::{MeasuredRecord, named},
};
use domain::{
    effectiveness::EffectivenessRow,
    fault::Fault,
    playbook::{Registration, schema},
    ports::{PlaybookRecord, PlaybookStatus},
    recommendation::{Recommendation, Strategy},
    services::{CatalogItem, ServiceError},
};
use serde_json::{Map, Value, json};

/// What a search found.
pub fn hits(found: &[CatalogItem]) -> Value {
    if found.is_empty() {
        let advice = "nothing fits: give fewer labels or other words; if nothing does, submit no recommendation";
        return json!({ "playbooks": [], "advice": advice });
    }
    json!({ "playbooks": found.iter().map(hit).collect::<Vec<_>>() })
}

fn hit(item: &CatalogItem) -> Value {
    let Registration { id, version, title, description, risk, .. } = &item.playbook.registration;
    let mut hit = json!({ "workflow_id": id, "version": version, "title": title, "description": description });
    if let Some(risk) = risk {
        hit["risk"] = json!(risk);
    }
    hit["found_by"] = if item.matched.is_empty() { json!(["the whole catalog"]) } else { json!(item.matched) };
    hit
}

/// The parameters of a playbook.
pub fn parameters(record: &PlaybookRecord) -> Value {
    let Registration { id, version, .. } = &record.registration;
    let mut schema = schema::json_schema(&record.registration);
    if let Some(members) = schema.as_object_mut() {
        members.remove("$schema");
        members.remove("title");
    }
    let mut told = json!({ "workflow_id": id, "version": version, "parameters": schema });
    match record.status {
        PlaybookStatus::Active => {}
        PlaybookStatus::Deprecated => told["advice"] = json!("this version is deprecated: prefer a newer one"),
        PlaybookStatus::Disabled => {
            told["advice"] = json!("this version is disabled and cannot run: choose another playbook");
        }
    }
    told
}

/// A strategy that can run.
pub fn valid(strategy: &Strategy) -> Value {
    let (workflow_id, version) = named(strategy);
    json!({ "valid": true, "workflow_id": workflow_id, "version": version })
}

/// What became of a recommendation.
pub fn taken(taken: &Recommendation, public_url: &str) -> Value {
    let strategies = taken.content.strategies.iter().map(|strategy| {
        let (workflow_id, version) = named(strategy);
        let mut told = json!({ "workflow_id": workflow_id, "version": version, "can_run": strategy.runnable() });
        if !strategy.runnable() {
            told["errors"] = json!(strategy.errors);
        }
        told
    });
    let strategies: Vec<Value> = strategies.collect();
    let mut told = json!({
        "recommendation_id": taken.id,
        "state": taken.state,
        "expires_at": taken.expires_at,
        "page": format!("{public_url}/recommendations/{}", taken.id),
        "strategies": strategies,
    });
    if !taken.content.strategies.iter().all(Strategy::runnable) {
        told["advice"] = json!(
            "it is stored, but strategies with errors cannot be approved: mend them and submit again for this incident"
        );
    }
    told
}

/// What was measured. Nothing measured is null, never 0.
pub fn record(workflow_id: &str, record: &MeasuredRecord) -> Value {
    let versions: Vec<Value> = record.versions.iter().map(measured).collect();
    json!({ "workflow_id": workflow_id, "all_versions": record.all.as_ref().map(measured), "by_version": versions })
}

fn measured(row: &EffectivenessRow) -> Value {
    let mut told = Map::new();
    told.insert("of".into(), json!(row.group));
    told.insert("runs".into(), json!(row.runs));
    told.insert("succeeded".into(), json!(row.succeeded));
    told.insert("success_rate".into(), json!(row.success_rate));
    told.insert("low".into(), json!(row.low));
    told.insert("high".into(), json!(row.high));
    told.insert("effective".into(), json!(row.effective));
    told.insert("ineffective".into(), json!(row.ineffective));
    Value::Object(told)
}

/// Faults as a model reads them.
pub fn faults(what: &str, faults: &[Fault]) -> String {
    let line = |fault: &Fault| format!("\n{} ({}): {}", place(&fault.pointer), fault.code, fault.message);
    let lines = faults.iter().map(line).collect::<Vec<_>>().concat();
    let count = match faults.len() {
        1 => "1 error".to_owned(),
        many => format!("{many} errors"),
    };
    format!("{what}: {count}. Nothing was stored; change these and call again.{lines}")
}

fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "/" } else { pointer }
}

/// Why a service did not do it, for a model.
pub fn refusal(error: ServiceError) -> String {
    match error {
        ServiceError::Invalid(found) => faults("Refused", &found),
        other => Problem::from(other).detail().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_place_kind_and_what_to_send() {
        let found = [
            Fault::new(
                "/strategies/0/confidence",
                "wrong_type",
                "send a number, not the string \"0.9\": write 0.9 without quotes",
            ),
            Fault::new("", "wrong_type", "send an object {…}, not a list"),
        ];
        let text = refusal(ServiceError::Invalid(found.into()));
        assert_eq!(
            text,
            "Refused: 2 errors. Nothing was stored; change these and call again.\
             \n/strategies/0/confidence (wrong_type): send a number, not the string \"0.9\": write 0.9 without quotes\
             \n/ (wrong_type): send an object {…}, not a list"
        );
        assert_eq!(refusal(ServiceError::Forbidden("not here".into())), "not here");
    }
}
