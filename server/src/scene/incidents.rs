//! Trouble: every minute or two a workload that is well gets into it, up to a few at once. A release puts the workload back
//! to what it was at the start, and where that alone is no trouble its pods need more memory than they may have.

use super::{
    SceneError,
    evidence::{get, merge, path},
    script::{SCRIPTS, Script},
};
use domain::time::Timestamp;
use sandbox::{Alert, AlertState, Sandbox};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

const NAMESPACE: &str = "production";
/// Between one incident and the next.
const EVERY: Duration = Duration::from_secs(90);
/// Incidents at once, at most.
const MOST: usize = 4;
/// A workload is left in peace for so long after its alert has cleared, milliseconds.
const PEACE_MS: i64 = 60_000;

/// What gets into trouble, and when.
pub struct Incidents {
    sandbox: Arc<Sandbox>,
    /// Workloads as they were at the start, as patches.
    releases: BTreeMap<&'static str, Value>,
    /// Workloads that need more than usual.
    pushed: BTreeSet<&'static str>,
    next: usize,
    due: Instant,
}

impl Incidents {
    /// Takes note of how the workloads are now.
    pub async fn new(sandbox: Arc<Sandbox>) -> Result<Self, SceneError> {
        let client = sandbox.client();
        let mut releases = BTreeMap::new();
        for script in &SCRIPTS {
            let workload = get(&client, &path(script.kind, NAMESPACE, script.workload)).await?;
            releases.insert(script.workload, release(&workload));
        }
        // Those before are in trouble from the start.
        let next = SCRIPTS.iter().position(|script| script.need.is_some()).unwrap_or_default();
        Ok(Self { sandbox, releases, pushed: BTreeSet::new(), next, due: Instant::now() + EVERY })
    }

    /// Lets the next incident arise when it is time. `busy` are workloads about which a decision is waiting.
    pub async fn arise(&mut self, alerts: &[Alert], busy: &BTreeSet<String>, now: Timestamp) -> Result<(), SceneError> {
        self.calm(alerts);
        if Instant::now() < self.due {
            return Ok(());
        }
        let Some(place) = choose(self.next, alerts, busy, now) else { return Ok(()) };
        let script = &SCRIPTS[place];
        self.next = (place + 1) % SCRIPTS.len();
        self.due = Instant::now() + EVERY;
        if let Some(release) = self.releases.get(script.workload) {
            merge(&self.sandbox.client(), &path(script.kind, NAMESPACE, script.workload), release).await?;
        }
        if let Some((peak, _)) = script.need {
            self.sandbox.set_memory_need(NAMESPACE, script.workload, peak);
            self.pushed.insert(script.workload);
        }
        Ok(())
    }

    /// Whoever has got over it needs no more than usual.
    fn calm(&mut self, alerts: &[Alert]) {
        for alert in alerts.iter().filter(|alert| alert.state == AlertState::Resolved) {
            if let Some(Script { workload, need: Some((_, usual)), .. }) = Script::of(&alert.name)
                && self.pushed.remove(workload)
            {
                self.sandbox.set_memory_need(NAMESPACE, workload, usual);
            }
        }
    }
}

/// Replicas and containers: what remediations change.
fn release(workload: &Value) -> Value {
    let spec = &workload["spec"];
    let containers = &spec["template"]["spec"]["containers"];
    json!({ "spec": { "replicas": spec["replicas"], "template": { "spec": { "containers": containers } } } })
}

/// Whose turn it is, from `next` on.
fn choose(next: usize, alerts: &[Alert], busy: &BTreeSet<String>, now: Timestamp) -> Option<usize> {
    let firing = || alerts.iter().filter(|alert| alert.state == AlertState::Firing);
    if firing().count() >= MOST {
        return None;
    }
    let crowded = firing().any(|alert| Script::of(&alert.name).is_some_and(|script| script.crowded));
    (0..SCRIPTS.len()).map(|step| (next + step) % SCRIPTS.len()).find(|place| {
        let script = &SCRIPTS[*place];
        let well = alerts.iter().find(|alert| alert.name == script.workload).is_none_or(|alert| {
            alert.state == AlertState::Resolved && now.since(Timestamp::from_millis(alert.since_ms)) >= PEACE_MS
        });
        well && !busy.contains(script.workload) && !(crowded && script.crowded)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(name: &str, state: AlertState, since_ms: i64) -> Alert {
        Alert {
            signal_type: "OOMKilled",
            namespace: NAMESPACE.into(),
            kind: "Deployment".into(),
            name: name.into(),
            state,
            since_ms,
            kills: 1,
            summary: String::new(),
        }
    }

    fn chosen(next: usize, alerts: &[Alert], busy: &[&str]) -> Option<&'static str> {
        let busy = busy.iter().map(ToString::to_string).collect();
        choose(next, alerts, &busy, Timestamp::from_millis(1_000_000)).map(|place| SCRIPTS[place].workload)
    }

    #[test]
    fn only_workloads_in_peace_get_into_trouble_and_never_too_many() {
        let firing = |name| alert(name, AlertState::Firing, 0);
        let start = [firing("my-app"), firing("payment-service"), firing("inventory")];
        assert_eq!(chosen(3, &start, &[]), Some("checkout"));
        // The others share their node with my-app.
        assert_eq!(chosen(4, &start, &[]), Some("checkout"));
        assert_eq!(chosen(3, &start, &["checkout"]), None);
        let four = [&start[..], &[firing("checkout")]].concat();
        assert_eq!(chosen(0, &four, &[]), None);
        let cleared = alert("my-app", AlertState::Resolved, 0);
        assert_eq!(chosen(0, std::slice::from_ref(&cleared), &[]), Some("my-app"));
        let just_now = alert("my-app", AlertState::Resolved, 999_000);
        assert_eq!(chosen(0, std::slice::from_ref(&just_now), &[]), Some("payment-service"));
    }

    #[test]
    fn a_release_undoes_what_remediations_change() {
        let containers = json!([{ "name": "x", "image": "i", "resources": { "limits": { "memory": "1Gi" } } }]);
        let workload = json!({
            "metadata": { "resourceVersion": "7" },
            "spec": { "replicas": 4, "selector": {}, "template": { "metadata": {}, "spec": { "containers": containers, "nodeSelector": {} } } },
        });
        let patch = json!({ "spec": { "replicas": 4, "template": { "spec": { "containers": containers } } } });
        assert_eq!(release(&workload), patch);
    }
}
