//! Watches, in the sandbox and on a cluster: order, resumption, selectors, bookmarks, and what happens when the past is forgotten.
//! Selectors leave out what a cluster itself puts into a fresh namespace.

use std::pin::pin;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::json;

use crate::bench::{NAMESPACE, fast};
use crate::target::{Target, on_both_targets};

on_both_targets! {
    a_watch_resumes_where_it_was_told_to "watch-resumes";
    a_watch_with_a_selector_sees_objects_come_and_go "watch-selects";
    bookmarks_and_streaming_lists "bookmarks";
    a_watch_ends_when_its_time_is_up "watch-ends";
}

fn config(name: &str, label: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name, "labels": {"app": label}}})).unwrap()
}

fn configs(target: &Target) -> Api<ConfigMap> {
    Api::namespaced(target.client(), target.namespace())
}

fn say(event: &WatchEvent<ConfigMap>) -> String {
    match event {
        WatchEvent::Added(object) => format!("+{}", object.name_any()),
        WatchEvent::Modified(object) => format!("~{}", object.name_any()),
        WatchEvent::Deleted(object) => format!("-{}", object.name_any()),
        WatchEvent::Bookmark(_) => "bookmark".into(),
        WatchEvent::Error(status) => format!("error {}", status.code),
    }
}

async fn heard(api: &Api<ConfigMap>, params: &WatchParams, from: &str, count: usize) -> Vec<String> {
    let events = api.watch(params, from).await.unwrap().take(count).map_ok(|event| say(&event));
    tokio::time::timeout(Duration::from_mins(3), events.try_collect()).await.expect("events came").unwrap()
}

async fn a_watch_resumes_where_it_was_told_to(target: &Target) {
    let api = configs(target);
    let post = PostParams::default();
    let a = api.create(&post, &config("a", "x")).await.unwrap();
    api.create(&post, &config("b", "x")).await.unwrap();
    api.patch("a", &PatchParams::default(), &Patch::Merge(json!({"data": {"k": "v"}}))).await.unwrap();
    api.delete("b", &DeleteParams::default()).await.unwrap();
    let params = WatchParams::default().labels("app=x");
    assert_eq!(heard(&api, &params, &a.resource_version().unwrap(), 3).await, ["+b", "~a", "-b"]);
    assert_eq!(heard(&api, &params, "0", 1).await, ["+a"]);
}

async fn a_watch_with_a_selector_sees_objects_come_and_go(target: &Target) {
    let api = configs(target);
    let made = api.create(&PostParams::default(), &config("a", "out")).await.unwrap();
    for label in ["in", "in", "out"] {
        let patch =
            json!({"metadata": {"labels": {"app": label}, "annotations": {"turn": label}}, "data": {"n": label}});
        api.patch("a", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }
    let params = WatchParams::default().labels("app=in");
    assert_eq!(heard(&api, &params, &made.resource_version().unwrap(), 2).await, ["+a", "-a"]);

    // What left is shown as it was while the selector picked it, at the version at which it left.
    let events = api.watch(&params, &made.resource_version().unwrap()).await.unwrap();
    let events: Vec<_> = events.take(2).try_collect().await.unwrap();
    let WatchEvent::Deleted(left) = &events[1] else { panic!("{events:?}") };
    assert_eq!((&left.labels()["app"], &left.annotations()["turn"]), (&"in".to_owned(), &"in".to_owned()));
    let now = api.get("a").await.unwrap();
    assert_eq!(left.resource_version(), now.resource_version());
}

/// In the sandbox alone: no client can make a cluster forget (`answers.rs` asks one for a past that it never knew).
#[tokio::test(start_paused = true)]
async fn a_forgotten_past_is_410_and_the_watcher_lists_again() {
    let sandbox = fast();
    let api: Api<ConfigMap> = Api::namespaced(sandbox.client(), NAMESPACE);
    let made = api.create(&PostParams::default(), &config("a", "x")).await.unwrap();
    sandbox.compact();
    assert_eq!(heard(&api, &WatchParams::default(), &made.resource_version().unwrap(), 2).await, ["error 410"]);

    let mut stream = pin!(watcher(api.clone(), watcher::Config::default()).default_backoff().applied_objects());
    assert_eq!(stream.try_next().await.unwrap().unwrap().name_any(), "a");
    sandbox.faults().drop_watches();
    sandbox.compact();
    api.create(&PostParams::default(), &config("b", "x")).await.unwrap();
    let seen = tokio::time::timeout(Duration::from_mins(2), async {
        loop {
            match stream.next().await {
                Some(Ok(object)) if object.name_any() == "b" => return true,
                Some(_) => {}
                None => return false,
            }
        }
    });
    assert!(seen.await.expect("the watcher recovers"));
}

async fn bookmarks_and_streaming_lists(target: &Target) {
    let api = configs(target);
    let made = api.create(&PostParams::default(), &config("a", "x")).await.unwrap();
    let params = WatchParams::default().labels("app=x");
    assert_eq!(heard(&api, &params, &made.resource_version().unwrap(), 1).await, ["bookmark"]);
    let streaming = watcher::Config::default().labels("app=x").streaming_lists();
    let mut stream = pin!(watcher(api.clone(), streaming).applied_objects());
    assert_eq!(stream.try_next().await.unwrap().unwrap().name_any(), "a");
    api.create(&PostParams::default(), &config("b", "x")).await.unwrap();
    assert_eq!(stream.try_next().await.unwrap().unwrap().name_any(), "b");
}

async fn a_watch_ends_when_its_time_is_up(target: &Target) {
    let api = configs(target);
    let params = WatchParams { timeout: Some(1), bookmarks: false, ..WatchParams::default().labels("app=x") };
    let events: Vec<_> = api.watch(&params, "0").await.unwrap().try_collect().await.unwrap();
    assert!(events.is_empty());
}
