//! What a strategy's parameters would change in the target, where a parameter obviously means a field; and what stands in the way.
//! A rule of thumb for readers: what really happens is the playbook's business, and the page says so.

use super::{quantity, state::TargetState};
use crate::{
    playbook::values::{EnvEntry, EnvValue},
    ticket::Plan,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Words by which a parameter tells of something else than the value to be set.
const NOT_THE_NEW_ONE: [&str; 16] = [
    "CURRENT",
    "OLD",
    "PREVIOUS",
    "ORIGINAL",
    "EXPECTED",
    "FINAL",
    "MIN",
    "MINIMUM",
    "MAX",
    "MAXIMUM",
    "PERCENT",
    "THRESHOLD",
    "STEP",
    "DELTA",
    "FACTOR",
    "INCREMENT",
];

/// A field of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// How many pods.
    Replicas,
    /// What each container may use of the memory.
    MemoryLimit,
    /// What each container asks for of the memory.
    MemoryRequest,
    /// What each container may use of the processors.
    CpuLimit,
    /// What each container asks for of the processors.
    CpuRequest,
}

impl Field {
    /// The field that a parameter (or a step's input) of this name means; most mean none.
    pub fn of(parameter: &str) -> Option<Self> {
        let upper = parameter.to_ascii_uppercase();
        let words: Vec<&str> = upper.split('_').collect();
        let has = |word: &str| words.contains(&word);
        if words.iter().any(|word| NOT_THE_NEW_ONE.contains(word)) {
            return None;
        }
        match () {
            () if has("REPLICAS") => Some(Self::Replicas),
            () if has("MEMORY") && (has("LIMIT") || has("LIMITS")) => Some(Self::MemoryLimit),
            () if has("MEMORY") && (has("REQUEST") || has("REQUESTS")) => Some(Self::MemoryRequest),
            () if has("CPU") && (has("LIMIT") || has("LIMITS")) => Some(Self::CpuLimit),
            () if has("CPU") && (has("REQUEST") || has("REQUESTS")) => Some(Self::CpuRequest),
            () => None,
        }
    }

    /// Where it is in the object.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Replicas => "spec.replicas",
            Self::MemoryLimit => "limits.memory",
            Self::MemoryRequest => "requests.memory",
            Self::CpuLimit => "limits.cpu",
            Self::CpuRequest => "requests.cpu",
        }
    }

    /// What is there now: one value, or what each container has. `None` where the object has no such field; an empty text where
    /// it is not set.
    fn now(self, state: &TargetState) -> Option<String> {
        let resource = match self {
            Self::Replicas => {
                let scaled = matches!(state.resource.kind.as_str(), "Deployment" | "StatefulSet" | "ReplicaSet");
                return state.pods.filter(|_| scaled).map(|pods| pods.wanted.to_string());
            }
            Self::MemoryLimit | Self::MemoryRequest => "memory",
            Self::CpuLimit | Self::CpuRequest => "cpu",
        };
        let limits = matches!(self, Self::MemoryLimit | Self::CpuLimit);
        let values: Vec<(&str, &str)> = state
            .containers
            .iter()
            .map(|container| {
                let amounts = if limits { &container.limits } else { &container.requests };
                (container.name.as_str(), amounts.get(resource).map_or("", String::as_str))
            })
            .collect();
        let (_, first) = values.first()?;
        if values.iter().all(|(_, value)| value == first) {
            return Some((*first).to_owned());
        }
        let each =
            values.iter().map(|(name, value)| format!("{} ({name})", if value.is_empty() { "none" } else { value }));
        Some(each.collect::<Vec<_>>().join(", "))
    }
}

/// A field, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The parameter that says so.
    pub parameter: String,
    /// The field.
    pub field: Field,
    /// What is there now; none where nothing is set.
    pub before: Option<String>,
    /// What would be there.
    pub after: String,
}

impl FieldChange {
    /// Whether it is so already.
    pub fn is_so_already(&self) -> bool {
        self.before.as_ref().is_some_and(|before| quantity::same(before, &self.after))
    }
}

/// What these values would change in the target.
pub fn changes<'a>(values: impl IntoIterator<Item = (&'a str, String)>, state: &TargetState) -> Vec<FieldChange> {
    let mut found: Vec<FieldChange> = Vec::new();
    for (name, after) in values {
        let Some(field) = Field::of(name) else { continue };
        let Some(now) = field.now(state) else { continue };
        if after.is_empty() || found.iter().any(|change| change.field == field) {
            continue;
        }
        let before = Some(now).filter(|now| !now.is_empty());
        found.push(FieldChange { parameter: name.to_owned(), field, before, after });
    }
    found
}

/// The values of exactly what would run, by name.
pub fn values_of(plan: &Plan) -> Vec<(&str, String)> {
    match plan {
        Plan::Playbook { parameters, .. } => parameters.iter().filter_map(text_of).collect(),
        Plan::Steps { steps, .. } => {
            let inputs = steps.iter().flat_map(|step| &step.inputs);
            inputs.filter_map(|(name, value)| Some((name.as_str(), plain(value)?))).collect()
        }
    }
}

fn text_of(entry: &EnvEntry) -> Option<(&str, String)> {
    match &entry.value {
        EnvValue::Text(text) => Some((entry.name.as_str(), text.clone())),
        EnvValue::Secret { .. } => None,
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// That all of it is so already, where there are changes and they are none.
pub fn nothing_to_change(changes: &[FieldChange]) -> Option<&'static str> {
    let none = !changes.is_empty() && changes.iter().all(FieldChange::is_so_already);
    none.then_some("It is so already: this would change nothing.")
}

/// What stands in the way of the changes or follows from them, as sentences; the weightiest first.
pub fn cautions(changes: &[FieldChange], state: &TargetState) -> Vec<String> {
    let mut said = Vec::new();
    if state.deleting {
        said.push("It is being deleted.".to_owned());
    }
    let effective: Vec<&FieldChange> = changes.iter().filter(|change| !change.is_so_already()).collect();
    if let Some(replicas) = effective.iter().find(|change| change.field == Field::Replicas) {
        of_replicas(&replicas.after, state, &mut said);
    }
    said.extend(effective.iter().filter_map(|change| below_the_request(change, &effective, state)));
    said.extend(nothing_to_change(changes).map(str::to_owned));
    if let Some(manager) = &state.manager {
        let name = manager.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        said.push(if manager.reverts {
            format!("{}{name} manages it and may undo the change at its next sync.", manager.tool)
        } else {
            format!("{}{name} manages it: its next release may undo the change.", manager.tool)
        });
    }
    if let Some(owner) = state.owners.last() {
        said.push(format!("{} {} owns it and may undo the change.", owner.kind, owner.name));
    }
    if let Some(pods) = state.pods.filter(|pods| pods.updated < pods.wanted) {
        said.push(format!(
            "A rollout is going on: {} of {} pods are of the newest template.",
            pods.updated, pods.wanted
        ));
    }
    if state.has_template() && effective.iter().any(|change| change.field != Field::Replicas) {
        said.push("All its pods are replaced.".to_owned());
    }
    said
}

fn of_replicas(after: &str, state: &TargetState, said: &mut Vec<String>) {
    let Ok(after) = after.parse::<i64>() else { return };
    if after == 0 {
        said.push("With 0 replicas nothing of it runs any more.".to_owned());
    }
    for scaler in state.autoscalers.known() {
        let (least, most) = (scaler.least, scaler.most);
        said.push(if (least..=most).contains(&after) {
            format!("Its autoscaler sets the replicas too, between {least} and {most}: it may choose another number.")
        } else {
            format!("Its autoscaler holds it between {least} and {most} replicas: {after} will be undone.")
        });
    }
    for budget in state.budgets.known() {
        if let Some(least) = budget.least.filter(|least| after <= *least) {
            let room = if after < least { "cannot be kept" } else { "leaves no room" };
            said.push(format!("Its disruption budget {room}: {after} replicas, {least} must stay available."));
        }
    }
}

/// A limit below the request is refused by the API server.
fn below_the_request(change: &FieldChange, all: &[&FieldChange], state: &TargetState) -> Option<String> {
    let (resource, request) = match change.field {
        Field::MemoryLimit => ("memory", Field::MemoryRequest),
        Field::CpuLimit => ("cpu", Field::CpuRequest),
        _ => return None,
    };
    if all.iter().any(|other| other.field == request) {
        return None;
    }
    let limit = quantity::size(&change.after)?;
    let too_much = state
        .containers
        .iter()
        .filter_map(|container| container.requests.get(resource))
        .find(|asked| quantity::size(asked).is_some_and(|asked| asked > limit))?;
    Some(format!("A limit of {} is below the request of {too_much}: the API server refuses that.", change.after))
}

#[cfg(test)]
mod tests {
    use super::super::state::{Autoscaler, Beside, Budget, Container, Manager, Pods};
    use super::*;
    use crate::{recommendation::ResourceRef, time::Timestamp};
    use std::collections::BTreeMap;

    fn workload() -> TargetState {
        let amounts = |memory: &str| BTreeMap::from([("memory".to_owned(), memory.to_owned())]);
        TargetState {
            resource: ResourceRef { kind: "Deployment".into(), namespace: Some("p".into()), name: "my-app".into() },
            uid: "u".into(),
            generation: Some(3),
            created_at: None,
            spec_changed_at: None,
            spec_changed_by: None,
            deleting: false,
            pods: Some(Pods { wanted: 4, ready: 4, updated: 4 }),
            containers: vec![Container {
                name: "app".into(),
                image: "i".into(),
                requests: amounts("512Mi"),
                limits: amounts("1Gi"),
            }],
            facts: BTreeMap::new(),
            complaints: vec![],
            owners: vec![],
            manager: None,
            budgets: Beside::Read(vec![]),
            autoscalers: Beside::Read(vec![]),
            read_at: Timestamp::default(),
        }
    }

    fn of(values: &[(&str, &str)], state: &TargetState) -> Vec<FieldChange> {
        changes(values.iter().map(|(name, value)| (*name, (*value).to_owned())), state)
    }

    #[test]
    fn only_names_that_obviously_mean_a_field_do() {
        for (name, field) in [
            ("SCALE_TARGET_REPLICAS", Some(Field::Replicas)),
            ("replicas", Some(Field::Replicas)),
            ("MEMORY_LIMIT_NEW", Some(Field::MemoryLimit)),
            ("NEW_CPU_REQUEST", Some(Field::CpuRequest)),
            ("CURRENT_REPLICAS", None),
            ("MIN_REPLICAS", None),
            ("MEMORY_LIMIT_PERCENT", None),
            ("BATCH_PERCENT", None),
            ("TARGET_RESOURCE_NAME", None),
            ("MEMORYLIMIT", None),
        ] {
            assert_eq!(Field::of(name), field, "{name}");
        }
    }

    #[test]
    fn a_change_tells_before_and_after_and_when_it_is_none() {
        let found = of(&[("SCALE_TARGET_REPLICAS", "2"), ("MEMORY_LIMIT_NEW", "1024Mi"), ("X", "1")], &workload());
        let told: Vec<_> = found.iter().map(|c| (c.field.path(), c.before.as_deref(), c.after.as_str())).collect();
        assert_eq!(told, [("spec.replicas", Some("4"), "2"), ("limits.memory", Some("1Gi"), "1024Mi")]);
        assert!(!found[0].is_so_already() && found[1].is_so_already());
        let unset = of(&[("CPU_LIMIT", "1")], &workload());
        assert_eq!(unset[0].before, None);
        let daemon =
            TargetState { resource: ResourceRef { kind: "DaemonSet".into(), ..workload().resource }, ..workload() };
        assert_eq!(of(&[("SCALE_TARGET_REPLICAS", "2")], &daemon), [], "a DaemonSet has no replicas");
    }

    #[test]
    fn several_containers_are_told_apart() {
        let mut state = workload();
        state.containers.push(Container { name: "proxy".into(), ..Container::default() });
        let found = of(&[("MEMORY_LIMIT_NEW", "2Gi")], &state);
        assert_eq!(found[0].before.as_deref(), Some("1Gi (app), none (proxy)"));
    }

    #[test]
    fn what_stands_in_the_way_is_said() {
        let said = |values: &[(&str, &str)], state: &TargetState| cautions(&of(values, state), state).join("\n");
        assert_eq!(said(&[("SCALE_TARGET_REPLICAS", "2")], &workload()), "");
        let mut held = workload();
        held.autoscalers = Beside::Read(vec![Autoscaler { name: "a".into(), least: 3, most: 12, wanted: None }]);
        held.budgets = Beside::Read(vec![Budget {
            name: "b".into(),
            rule: "minAvailable 2".into(),
            least: Some(2),
            allowed: Some(2),
        }]);
        held.manager = Some(Manager { tool: "Argo CD".into(), name: Some("shop".into()), reverts: true });
        let all = said(&[("SCALE_TARGET_REPLICAS", "2")], &held);
        for part in
            ["between 3 and 12 replicas: 2 will be undone", "leaves no room: 2 replicas, 2 must", "Argo CD (shop)"]
        {
            assert!(all.contains(part), "{part}: {all}");
        }
        assert!(said(&[("SCALE_TARGET_REPLICAS", "5")], &held).contains("may choose another number"));
        assert!(said(&[("SCALE_TARGET_REPLICAS", "4")], &held).starts_with("It is so already"));
        assert!(said(&[("MEMORY_LIMIT_NEW", "256Mi")], &workload()).contains("below the request of 512Mi"));
        assert!(said(&[("MEMORY_LIMIT_NEW", "2Gi")], &workload()).contains("All its pods are replaced"));
        assert!(said(&[("SCALE_TARGET_REPLICAS", "0")], &workload()).contains("nothing of it runs"));
    }
}
