//! Runs while they go: order, logs, faults of the cluster, and what the seeds' images do to the workloads.

use std::time::Duration;

use futures::{AsyncBufReadExt, StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams, LogParams};
use kube::runtime::{WatchStreamExt, watcher};
use sandbox::{AlertState, Effect, Fault, Sandbox, Verb};
use serde_json::{Value, json};

use crate::bench::{NAMESPACE, create, dynamic, eventually, ready, troubled};

/// A run of one playbook image with these parameters.
async fn strategy(sandbox: &Sandbox, name: &str, image: &str, parameters: Value) {
    let config = json!({"metadata": {"name": format!("{name}-parameters")}, "data": parameters, "immutable": true});
    create(&dynamic(sandbox, "v1", "ConfigMap", Some(NAMESPACE)), config).await;
    let run = json!({
        "metadata": {"name": name},
        "spec": {
            "pipelineRef": {"name": "playbook-executor"},
            "params": [
                {"name": "playbook-id", "value": name}, {"name": "playbook-image", "value": image},
                {"name": "parameters", "value": ""}, {"name": "parameters-configmap", "value": format!("{name}-parameters")},
            ],
            "taskRunTemplate": {"serviceAccountName": "playbook-executor"},
            "timeouts": {"pipeline": "10m"},
        },
    });
    create(&dynamic(sandbox, "tekton.dev/v1", "PipelineRun", Some(NAMESPACE)), run).await;
}

fn condition(object: &Value) -> (String, String, String) {
    let text = |field: &str| object["status"]["conditions"][0][field].as_str().unwrap_or_default().to_owned();
    (text("status"), text("reason"), text("message"))
}

async fn get(sandbox: &Sandbox, kind: &str, name: &str) -> Option<Value> {
    let found = dynamic(sandbox, "tekton.dev/v1", kind, Some(NAMESPACE)).get_opt(name).await.unwrap()?;
    Some(serde_json::to_value(found).unwrap())
}

async fn ended(sandbox: &Sandbox, name: &str) -> Value {
    eventually("the run ends", || async {
        get(sandbox, "PipelineRun", name).await.filter(|run| matches!(condition(run).0.as_str(), "True" | "False"))
    })
    .await
}

async fn log(sandbox: &Sandbox, name: &str) -> String {
    let pods: Api<Pod> = Api::namespaced(sandbox.client(), NAMESPACE);
    let params = LogParams { container: Some("step-execute".into()), ..Default::default() };
    pods.logs(&format!("{name}-execute-pod"), &params).await.unwrap()
}

async fn outputs(sandbox: &Sandbox, name: &str) -> Value {
    let run = get(sandbox, "TaskRun", &format!("{name}-execute")).await.unwrap();
    serde_json::from_str(run["status"]["results"][0]["value"].as_str().unwrap()).unwrap()
}

async fn deployment(sandbox: &Sandbox, name: &str) -> Deployment {
    Api::<Deployment>::namespaced(sandbox.client(), "production").get(name).await.unwrap()
}

fn target(name: &str, more: &[(&str, &str)]) -> Value {
    let mut parameters =
        json!({"TARGET_RESOURCE_KIND": "Deployment", "TARGET_RESOURCE_NAME": name, "TARGET_NAMESPACE": "production"});
    for (name, value) in more {
        parameters[*name] = (*value).into();
    }
    parameters
}

async fn alert(sandbox: &Sandbox, name: &str, state: AlertState) {
    eventually("the alert moves", || async {
        sandbox.alerts().iter().any(|alert| alert.name == name && alert.state == state).then_some(())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn scaling_down_relieves_an_overcommitted_node() {
    let sandbox = troubled();
    alert(&sandbox, "my-app", AlertState::Firing).await;
    let image = "quay.io/kubernaut/playbook-oomkill-scale-down:v1.0.0";
    strategy(&sandbox, "scale", image, target("my-app", &[("SCALE_TARGET_REPLICAS", "1")])).await;
    let run = ended(&sandbox, "scale").await;
    assert_eq!(condition(&run).1, "Succeeded", "{}", log(&sandbox, "scale").await);
    assert_eq!(outputs(&sandbox, "scale").await, json!({"previous_replicas": 4, "final_replicas": 1}));
    let text = log(&sandbox, "scale").await;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..3],
        ["=== OOMKill Scale Down Remediation ===", "Target: Deployment/my-app in production", "Target Replicas: 1"]
    );
    assert_eq!(lines[lines.len() - 2..], ["=== Remediation Complete ===", "Final replicas: 1"]);
    alert(&sandbox, "my-app", AlertState::Resolved).await;
    let status = deployment(&sandbox, "my-app").await.status.unwrap();
    assert_eq!((status.replicas, status.ready_replicas), (Some(1), Some(1)));
}

#[tokio::test(start_paused = true)]
async fn more_memory_helps_where_the_limit_is_too_low_and_not_where_the_node_is_full() {
    let sandbox = troubled();
    alert(&sandbox, "payment-service", AlertState::Firing).await;
    alert(&sandbox, "my-app", AlertState::Firing).await;
    let image = "quay.io/kubernaut/playbook-oomkill-increase-memory:v1.0.0";
    strategy(&sandbox, "payment", image, target("payment-service", &[("MEMORY_LIMIT_NEW", "2Gi")])).await;
    strategy(&sandbox, "app", image, target("my-app", &[("MEMORY_LIMIT_NEW", "2Gi")])).await;
    assert_eq!(condition(&ended(&sandbox, "payment").await).1, "Succeeded", "{}", log(&sandbox, "payment").await);
    assert_eq!(condition(&ended(&sandbox, "app").await).1, "Succeeded", "{}", log(&sandbox, "app").await);
    assert_eq!(outputs(&sandbox, "payment").await, json!({"previous_limit": "1Gi", "new_limit": "2Gi"}));
    alert(&sandbox, "payment-service", AlertState::Resolved).await;
    tokio::time::sleep(Duration::from_mins(2)).await;
    let firing = sandbox.alerts().into_iter().find(|alert| alert.name == "my-app").unwrap();
    assert_eq!(firing.state, AlertState::Firing, "the node is still promised to too many");
}

#[tokio::test(start_paused = true)]
async fn a_raise_that_is_too_small_is_undone_and_followed_by_one_that_helps() {
    let sandbox = troubled();
    alert(&sandbox, "inventory", AlertState::Firing).await;
    let known = || sandbox.alerts().into_iter().find(|alert| alert.name == "inventory").unwrap();
    let since = known().since_ms;
    let image = "quay.io/kubernaut/playbook-oomkill-increase-memory:v1.0.0";
    for (name, before, limit) in [("little", "256Mi", "288Mi"), ("back", "288Mi", "256Mi")] {
        strategy(&sandbox, name, image, target("inventory", &[("MEMORY_LIMIT_NEW", limit)])).await;
        assert_eq!(condition(&ended(&sandbox, name).await).1, "Succeeded", "{}", log(&sandbox, name).await);
        assert_eq!(outputs(&sandbox, name).await, json!({"previous_limit": before, "new_limit": limit}));
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!((known().state, known().since_ms), (AlertState::Firing, since), "it has fired all the time");
    }
    strategy(&sandbox, "enough", image, target("inventory", &[("MEMORY_LIMIT_NEW", "512Mi")])).await;
    assert_eq!(condition(&ended(&sandbox, "enough").await).1, "Succeeded", "{}", log(&sandbox, "enough").await);
    alert(&sandbox, "inventory", AlertState::Resolved).await;
}

#[tokio::test(start_paused = true)]
async fn one_image_with_several_strategies_goes_by_its_hidden_parameter() {
    let sandbox = troubled();
    let image = "quay.io/kubernaut/playbook-oomkill-multi:v1.0.0";
    let parameters = |kind: &str| target("inventory", &[("REMEDIATION_TYPE", kind)]);
    strategy(&sandbox, "lean", image, parameters("optimize_application")).await;
    assert_eq!(condition(&ended(&sandbox, "lean").await).1, "Succeeded", "{}", log(&sandbox, "lean").await);
    assert!(log(&sandbox, "lean").await.starts_with("Starting optimize_application for Deployment/inventory\n"));
    assert_eq!(outputs(&sandbox, "lean").await["memory_profile"], "lean");
    strategy(&sandbox, "odd", image, parameters("dance")).await;
    assert_eq!(condition(&ended(&sandbox, "odd").await).1, "Failed");
    assert!(log(&sandbox, "odd").await.contains("ERROR: unknown REMEDIATION_TYPE: dance"));
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_not_there_and_parameters_that_are_not_set_fail_clearly() {
    let sandbox = ready();
    let image = "quay.io/kubernaut/playbook-oomkill-scale-down:v1.0.0";
    strategy(&sandbox, "gone", image, target("no-such-app", &[("SCALE_TARGET_REPLICAS", "1")])).await;
    assert_eq!(condition(&ended(&sandbox, "gone").await).1, "Failed");
    assert!(log(&sandbox, "gone").await.ends_with("ERROR: Resource not found\n"));
    strategy(&sandbox, "unset", image, target("my-app", &[])).await;
    ended(&sandbox, "unset").await;
    assert_eq!(log(&sandbox, "unset").await, "SCALE_TARGET_REPLICAS: unbound variable\n");
    strategy(&sandbox, "fails", "example.com/always-fail:1", json!({"SECRET": "value"})).await;
    assert_eq!(condition(&ended(&sandbox, "fails").await).1, "Failed");
    strategy(&sandbox, "other", "example.com/some/thing:1", json!({"SECRET": "value"})).await;
    assert_eq!(condition(&ended(&sandbox, "other").await).1, "Succeeded");
    let text = log(&sandbox, "other").await;
    assert!(text.contains("parameter SECRET is set") && !text.contains("value"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_seeds_three_steps_act_on_the_cluster_in_their_order() {
    let sandbox = ready();
    let step = |name: &str, image: &str, inputs: &Value, after: &[&str]| {
        json!({"name": name, "taskRef": {"name": "kubernaut-action"}, "runAfter": after, "params": [
            {"name": "actionType", "value": "x/y"}, {"name": "actionImage", "value": format!("ghcr.io/kubernaut/actions/{image}")},
            {"name": "inputs", "value": inputs.to_string()}, {"name": "parametersConfigMap", "value": name}]})
    };
    let restart = json!({"namespace": "production", "labelSelector": "app=payment"});
    let scale = json!({"deployment": "payment-service", "namespace": "production", "replicas": 10});
    let pull = json!({"repository": "https://github.com/company/k8s-configs", "branch": "kubernaut/payment-memory-fix", "title": "t"});
    for (name, inputs) in [("restart-pods", &restart), ("scale-deployment", &scale), ("create-gitops-pr", &pull)] {
        let config =
            json!({"metadata": {"name": name}, "data": {"ACTION_TYPE": "x/y", "ACTION_INPUTS": inputs.to_string()}});
        create(&dynamic(&sandbox, "v1", "ConfigMap", Some(NAMESPACE)), config).await;
    }
    let run = json!({"metadata": {"name": "seed"}, "spec": {"pipelineSpec": {"tasks": [
        step("restart-pods", "restart@sha256:def456", &restart, &[]),
        step("scale-deployment", "scale@sha256:abc123", &scale, &[]),
        step("create-gitops-pr", "git-pr@sha256:ghi789", &pull, &["restart-pods", "scale-deployment"]),
    ]}}});
    create(&dynamic(&sandbox, "tekton.dev/v1", "PipelineRun", Some(NAMESPACE)), run).await;
    let run = ended(&sandbox, "seed").await;
    assert_eq!(
        condition(&run),
        ("True".into(), "Succeeded".into(), "Tasks Completed: 3 (Failed: 0, Cancelled 0), Skipped: 0".into())
    );
    let time = |run: &Value, field: &str| run["status"][field].as_str().unwrap().to_owned();
    let (first, second, third) = (
        get(&sandbox, "TaskRun", "seed-restart-pods").await.unwrap(),
        get(&sandbox, "TaskRun", "seed-scale-deployment").await.unwrap(),
        get(&sandbox, "TaskRun", "seed-create-gitops-pr").await.unwrap(),
    );
    assert_eq!(time(&first, "startTime"), time(&second, "startTime"), "side by side");
    assert!(time(&third, "startTime") >= time(&first, "completionTime").max(time(&second, "completionTime")));
    let result =
        |run: &Value| serde_json::from_str::<Value>(run["status"]["results"][0]["value"].as_str().unwrap()).unwrap();
    assert_eq!(result(&second), json!({"replicas": 10, "previous": 3}));
    assert!(result(&first)["restarted"].as_u64().unwrap() >= 3);
    assert!(
        result(&third)["pull_request"].as_str().unwrap().starts_with("https://github.com/company/k8s-configs/pull/")
    );
    assert_eq!(deployment(&sandbox, "payment-service").await.spec.unwrap().replicas, Some(10));
}

#[tokio::test(start_paused = true)]
async fn logs_are_followed_while_they_are_written() {
    let sandbox = ready();
    let image = "quay.io/kubernaut/playbook-oomkill-scale-down:v1.0.0";
    strategy(&sandbox, "scale", image, target("catalog", &[("SCALE_TARGET_REPLICAS", "1")])).await;
    let pods: Api<Pod> = Api::namespaced(sandbox.client(), NAMESPACE);
    let params =
        LogParams { follow: true, timestamps: true, container: Some("step-execute".into()), ..Default::default() };
    let early = eventually("there is a pod", || async {
        pods.logs("scale-execute-pod", &params)
            .await
            .err()
            .filter(|error| error.to_string().contains("is waiting to start"))
    })
    .await;
    assert!(
        early.to_string().contains("container \"step-execute\" in pod \"scale-execute-pod\" is waiting"),
        "{early}"
    );
    let stream =
        eventually("the log begins", || async { pods.log_stream("scale-execute-pod", &params).await.ok() }).await;
    let lines: Vec<String> = stream.lines().try_collect().await.unwrap();
    assert!(lines[0].ends_with("=== OOMKill Scale Down Remediation ==="), "{lines:?}");
    assert!(lines.last().unwrap().ends_with("Final replicas: 1"), "{lines:?}");
    let stamps: Vec<&str> = lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert!(stamps.is_sorted() && stamps[0] < stamps[stamps.len() - 1], "{stamps:?}");
    assert_eq!(condition(&ended(&sandbox, "scale").await).1, "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_followed_breaks_when_connections_do() {
    let sandbox = ready();
    strategy(&sandbox, "long", "example.com/sleep:1", json!({"SLEEP_SECONDS": "600"})).await;
    let pods: Api<Pod> = Api::namespaced(sandbox.client(), NAMESPACE);
    let params = LogParams { follow: true, ..Default::default() };
    let stream =
        eventually("the log begins", || async { pods.log_stream("long-execute-pod", &params).await.ok() }).await;
    let mut lines = stream.lines();
    assert_eq!(lines.next().await.unwrap().unwrap(), "sleeping for 600 seconds");
    sandbox.faults().drop_watches();
    assert!(lines.next().await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_pod_waits_for_room_an_image_and_a_quota() {
    let sandbox = ready();
    let image = "example.com/thing:1";
    sandbox.faults().push(Fault::pod(Effect::Unschedulable).named("room"));
    sandbox.faults().push(Fault::pod(Effect::QuotaExceeded).named("quota"));
    sandbox.faults().push(Fault::pod(Effect::ImagePull).named("image"));
    for name in ["room", "quota", "image"] {
        strategy(&sandbox, name, image, json!({"A": "1"})).await;
    }
    let reason = |name: &'static str, wanted: &'static str| {
        let sandbox = &sandbox;
        eventually(wanted, move || async move {
            get(sandbox, "TaskRun", &format!("{name}-execute")).await.filter(|run| condition(run).1 == wanted)
        })
    };
    reason("room", "ExceededNodeResources").await;
    reason("quota", "ExceededResourceQuota").await;
    reason("image", "PullImageFailed").await;
    sandbox.faults().clear();
    for name in ["room", "quota", "image"] {
        assert_eq!(condition(&ended(&sandbox, name).await).1, "Succeeded", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_someone_deletes_takes_its_children_with_it() {
    let sandbox = ready();
    sandbox.faults().push(Fault::once(Verb::Create, "pipelineruns", Effect::DeletedBySomeone(6_000)));
    strategy(&sandbox, "victim", "example.com/sleep:1", json!({"SLEEP_SECONDS": "600"})).await;
    eventually("a step runs", || async {
        get(&sandbox, "TaskRun", "victim-execute").await.filter(|run| condition(run).1 == "Running")
    })
    .await;
    eventually("all is gone", || async {
        let pods: Api<Pod> = Api::namespaced(sandbox.client(), NAMESPACE);
        let left = pods.list(&ListParams::default()).await.unwrap().items.len();
        (left == 0 && get(&sandbox, "TaskRun", "victim-execute").await.is_none()).then_some(())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn events_tell_the_story_of_a_pod() {
    let sandbox = ready();
    strategy(&sandbox, "told", "example.com/thing:1", json!({"A": "1"})).await;
    ended(&sandbox, "told").await;
    let events: Api<Event> = Api::namespaced(sandbox.client(), NAMESPACE);
    let of = |name: &str| ListParams::default().fields(&format!("involvedObject.name={name}"));
    let mut of_pod = events.list(&of("told-execute-pod")).await.unwrap().items;
    of_pod.sort_by_key(|event| event.resource_version().unwrap().parse::<u64>().unwrap());
    let reasons: Vec<String> = of_pod.iter().filter_map(|event| event.reason.clone()).collect();
    assert_eq!(reasons, ["Scheduled", "Pulled", "Created", "Started", "Pulling", "Pulled", "Created", "Started"]);
    let of_run = events.list(&of("told")).await.unwrap().items;
    let mut told: Vec<String> = of_run
        .iter()
        .map(|event| format!("{} {}", event.type_.as_deref().unwrap(), event.reason.as_deref().unwrap()))
        .collect();
    told.sort();
    assert_eq!(told, ["Normal Running", "Normal Started", "Normal Succeeded"]);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_missing_is_told_by_warnings_alone_and_these_can_be_asked_for() {
    let sandbox = ready();
    let config = json!({"metadata": {"name": "poor-parameters"}, "data": {"A": "1"}, "immutable": true});
    create(&dynamic(&sandbox, "v1", "ConfigMap", Some(NAMESPACE)), config).await;
    let run = json!({
        "metadata": {"name": "poor"},
        "spec": {
            "pipelineRef": {"name": "playbook-executor"},
            "params": [
                {"name": "playbook-id", "value": "poor"}, {"name": "playbook-image", "value": "example.com/thing:1"},
                {"name": "parameters", "value": ""}, {"name": "parameters-configmap", "value": "poor-parameters"},
            ],
            "taskRunTemplate": {"serviceAccountName": "playbook-executor"},
            "timeouts": {"pipeline": "10m"},
            "workspaces": [{"name": "kubeconfig", "secret": {"secretName": "absent"}}],
        },
    });
    create(&dynamic(&sandbox, "tekton.dev/v1", "PipelineRun", Some(NAMESPACE)), run).await;
    let events: Api<Event> = Api::namespaced(sandbox.client(), NAMESPACE);
    let warnings = ListParams::default().fields("type=Warning");
    let told = eventually("it is told again", || async {
        let told = events.list(&warnings).await.unwrap().items;
        told.iter().any(|event| event.count > Some(1)).then_some(told)
    })
    .await;
    let told: Vec<String> = told
        .iter()
        .map(|event| format!("{} {}", event.reason.as_deref().unwrap(), event.message.as_deref().unwrap()))
        .collect();
    assert_eq!(told.len(), 1, "nothing but Warnings: {told:?}");
    assert!(told[0].starts_with("FailedMount MountVolume.SetUp failed for volume"), "{told:?}");
    assert!(told[0].ends_with("secret \"absent\" not found"), "{told:?}");
    assert_eq!(condition(&get(&sandbox, "TaskRun", "poor-execute").await.unwrap()).1, "Pending");
    let refused = format!("{:?}", events.list(&ListParams::default().fields("message=x")).await.unwrap_err());
    assert!(refused.contains("field label not supported: message"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_watcher_sees_a_run_go_its_way() {
    let sandbox = ready();
    let api = dynamic(&sandbox, "tekton.dev/v1", "TaskRun", Some(NAMESPACE));
    let stream = watcher(api, watcher::Config::default().labels("tekton.dev/pipelineRun=seen")).applied_objects();
    strategy(&sandbox, "seen", "example.com/thing:1", json!({"A": "1"})).await;
    let reasons = stream
        .map_ok(|run| condition(&serde_json::to_value(run).unwrap()).1)
        .take_while(|reason| std::future::ready(!matches!(reason, Ok(reason) if reason == "Succeeded")));
    let mut reasons: Vec<String> = reasons.try_collect().await.unwrap();
    reasons.dedup();
    assert_eq!(reasons, ["Pending", "Running"]);
}

#[tokio::test(start_paused = true)]
async fn the_cluster_goes_on_while_its_api_server_is_down() {
    let sandbox = ready();
    strategy(&sandbox, "on", "example.com/thing:1", json!({"A": "1"})).await;
    sandbox.faults().set_down(true);
    tokio::time::sleep(Duration::from_mins(1)).await;
    sandbox.faults().set_down(false);
    let run = get(&sandbox, "PipelineRun", "on").await.unwrap();
    assert_eq!(condition(&run).1, "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn outputs_beyond_what_tekton_carries_fail_the_step_after_its_work() {
    let sandbox = ready();
    let large = "x".repeat(4_108);
    strategy(&sandbox, "large", "example.com/playbook-shell:1", json!({"OUTPUTS": large})).await;
    assert_eq!(condition(&ended(&sandbox, "large").await).1, "Failed");
    let run = get(&sandbox, "TaskRun", "large-execute").await.unwrap();
    assert_eq!(condition(&run).2, "\"step-execute\" exited with code 1: Error");
    assert!(run["status"].get("results").is_none());
}

#[tokio::test(start_paused = true)]
async fn deployments_are_rolled_out_and_cleared_away() {
    let sandbox = ready();
    let api: Api<Deployment> = Api::namespaced(sandbox.client(), "production");
    let pods: Api<Pod> = Api::namespaced(sandbox.client(), "production");
    let catalog = ListParams::default().labels("app=catalog");
    eventually("both are ready", || async {
        (deployment(&sandbox, "catalog").await.status?.ready_replicas == Some(2)).then_some(())
    })
    .await;
    let before: Vec<String> = pods.list(&catalog).await.unwrap().items.iter().map(ResourceExt::name_any).collect();
    let patch = json!({"spec": {"template": {"metadata": {"annotations": {"restartedAt": "now"}}}}});
    api.patch("catalog", &kube::api::PatchParams::default(), &kube::api::Patch::Merge(patch)).await.unwrap();
    eventually("all pods are new", || async {
        let now: Vec<String> = pods.list(&catalog).await.unwrap().items.iter().map(ResourceExt::name_any).collect();
        let status = deployment(&sandbox, "catalog").await.status?;
        (now.len() == 2 && now.iter().all(|name| !before.contains(name)) && status.ready_replicas == Some(2))
            .then_some(())
    })
    .await;
    api.delete("catalog", &DeleteParams::default()).await.unwrap();
    eventually("nothing is left", || async { pods.list(&catalog).await.unwrap().items.is_empty().then_some(()) }).await;
}
