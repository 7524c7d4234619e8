//! The action registry: read from the cluster whenever it is needed, so that what somebody changes there counts at once, at every
//! console.

use super::Services;
use domain::{
    fault::Fault,
    json::strict::{self, Limits, Unread},
    playbook::actions::{ActionRegistry, CONFIG_MAP},
    services::{Answer, ServiceError},
    workflow::StepPlan,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// A ConfigMap holds no more, bytes.
const MOST: usize = 1 << 20;

impl Services {
    /// The registry; none where there is no such ConfigMap.
    pub(super) async fn action_registry(&self) -> Answer<Option<ActionRegistry>> {
        let contracts = self.cluster()?.action_contracts().await.map_err(|error| {
            let words = format!("whether there is an action registry (ConfigMap {CONFIG_MAP}) can't be told: {error}");
            ServiceError::Unavailable(words)
        })?;
        Ok(contracts.map(registry))
    }

    /// Refuses steps that the registry does not allow. Without a registry any step goes.
    pub(super) async fn check_actions(&self, plan: &StepPlan) -> Answer<()> {
        let Some(registry) = self.action_registry().await? else { return Ok(()) };
        let faults = registry.check(plan);
        if faults.is_empty() { Ok(()) } else { Err(ServiceError::Invalid(faults)) }
    }
}

fn registry(contracts: BTreeMap<String, String>) -> ActionRegistry {
    ActionRegistry::of(contracts.into_iter().map(|(key, text)| (key, document(&text))))
}

/// A contract as JSON or YAML.
fn document(text: &str) -> Result<Value, Fault> {
    let limits = Limits { bytes: MOST, ..Limits::default() };
    strict::read(serde_norway::Deserializer::from_str(text), limits).map_err(|unread| match unread {
        Unread::Strict(error) => Fault::new(error.pointer().to_owned(), error.code(), error.to_string()),
        Unread::Format { pointer, error } => Fault::new(pointer, "yaml_syntax", format!("this is no YAML: {error}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::{people::tests::services, tests::TestCluster};
    use domain::{
        identity::{Actor, Caller, Role, Way},
        ids::ActorId,
        services::{ApprovalService as _, CatalogService as _},
    };
    use serde_json::json;
    use std::sync::Arc;
    use store::{Options, Store, sqlite_url};

    #[tokio::test]
    async fn steps_are_held_against_the_registry_once_there_is_one() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(&sqlite_url(&data.path().join("console.sqlite")), Options::default()).await.unwrap();
        let cluster = Arc::new(TestCluster::default());
        let services = services(&store, &cluster);
        let operator = Caller {
            actor: Actor::new(ActorId::new("user:mara"), "mara"),
            roles: vec![Role::Operator],
            request_id: "r-1".into(),
            route: "POST /api/v1/executions".into(),
            way: Way::default(),
            session: None,
        };
        let image = format!("r.example/scale@sha256:{}", "7".repeat(64));
        let spec = |action: &str, replicas: i32| {
            let inputs = json!({ "replicas": replicas });
            json!({ "workflowType": "by-hand", "reason": "it is slow", "steps": [
                { "name": "one", "actionType": action, "image": image, "inputs": inputs },
            ] })
        };
        assert_eq!(services.actions(&operator).await.unwrap(), None);
        services.propose_steps(&operator, &spec("anything", 99)).await.unwrap();

        let inputs = json!({ "type": "object", "properties": { "replicas": { "maximum": 10 } } });
        let contract = json!({ "actionType": "kubernetes/scale", "version": "1.0.0", "description": "Scales.",
            "image": image, "inputs": inputs });
        cluster.registers("scale.json", &contract);
        assert_eq!(services.actions(&operator).await.unwrap().unwrap().actions.len(), 1);
        services.propose_steps(&operator, &spec("kubernetes/scale", 3)).await.unwrap();
        for (wrong, pointer) in
            [(spec("anything", 3), "/steps/0/actionType"), (spec("kubernetes/scale", 99), "/steps/0/inputs/replicas")]
        {
            let refused = services.propose_steps(&operator, &wrong).await;
            let Err(ServiceError::Invalid(faults)) = refused else { panic!("{refused:?}") };
            assert_eq!(faults.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(), [pointer]);
        }
    }

    #[test]
    fn contracts_are_json_or_yaml() {
        let contract = |action: &str| {
            format!(
                "{{\"actionType\": \"{action}\", \"version\": \"1.0.0\", \"description\": \"x\", \"image\": \"r.example/x:1\", \
                 \"inputs\": {{\"type\": \"object\"}}}}"
            )
        };
        let yaml = "actionType: b\nversion: 1.0.0\ndescription: x\nimage: r.example/x:1\ninputs:\n  type: object\n";
        let texts = [("a.json", contract("a")), ("b.yaml", yaml.to_owned()), ("c", "a: [".to_owned())];
        let found = registry(texts.into_iter().map(|(key, text)| (key.to_owned(), text)).collect());
        assert_eq!(found.actions.iter().map(|action| action.action_type.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(found.bad.iter().map(|bad| bad.key.as_str()).collect::<Vec<_>>(), ["c"]);
    }
}
