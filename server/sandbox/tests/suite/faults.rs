//! Each way in which requests can be made to fail.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams, PostParams};
use sandbox::{Effect, Fault, Verb};
use serde_json::json;

use crate::bench::{NAMESPACE, eventually, fast, refusal};

fn config(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}})).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_committed_all_the_same() {
    let sandbox = fast();
    let api: Api<ConfigMap> = Api::namespaced(sandbox.client(), NAMESPACE);
    sandbox.faults().push(Fault::once(Verb::Create, "configmaps", Effect::LoseReply));
    let error = api.create(&PostParams::default(), &config("a")).await.unwrap_err();
    assert!(matches!(error, kube::Error::Service(_)), "{error:?}");
    api.get("a").await.expect("it was created");
    sandbox.faults().push(Fault::once(Verb::Create, "configmaps", Effect::Disconnect));
    api.create(&PostParams::default(), &config("b")).await.unwrap_err();
    assert_eq!(refusal(api.get("b").await).code, 404);
}

#[tokio::test(start_paused = true)]
async fn refusals_of_every_kind() {
    let sandbox = fast();
    let api: Api<ConfigMap> = Api::namespaced(sandbox.client(), NAMESPACE);
    for (effect, code, reason) in [
        (Effect::Conflict, 409, "Conflict"),
        (Effect::Expired, 410, "Expired"),
        (Effect::Forbidden("no".into()), 403, "Forbidden"),
        (Effect::WebhookDenial("not signed".into()), 403, "Forbidden"),
        (Effect::Invalid("no".into()), 422, "Invalid"),
        (Effect::TooManyRequests(7), 429, "TooManyRequests"),
        (Effect::InternalError, 500, "InternalError"),
        (Effect::Unavailable, 503, "ServiceUnavailable"),
    ] {
        sandbox.faults().push(Fault::once(Verb::Create, "configmaps", effect));
        let status = refusal(api.create(&PostParams::default(), &config("a")).await);
        assert_eq!((status.code, status.reason.as_str()), (code, reason));
        if code == 429 {
            assert_eq!(status.details.unwrap().retry_after_seconds, 7);
        }
    }
    assert_eq!(sandbox.faults().pending(), 0);
    api.create(&PostParams::default(), &config("a")).await.expect("and then all is well");
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_a_header_too() {
    let sandbox = fast();
    sandbox.faults().push(Fault::once(Verb::List, "configmaps", Effect::TooManyRequests(3)));
    let request = http::Request::get("/api/v1/configmaps").body(kube::client::Body::empty()).unwrap();
    let response = sandbox.client().send(request).await.unwrap();
    assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (429, &"3".parse().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_request_can_hang_and_an_object_can_be_deleted_by_someone() {
    let sandbox = fast();
    let api: Api<ConfigMap> = Api::namespaced(sandbox.client(), NAMESPACE);
    sandbox.faults().push(Fault::once(Verb::Get, "configmaps", Effect::Hang));
    tokio::time::timeout(Duration::from_millis(50), api.get("a")).await.expect_err("no answer comes");
    sandbox.faults().push(Fault::once(Verb::Create, "configmaps", Effect::DeletedBySomeone(100)));
    api.create(&PostParams::default(), &config("a")).await.unwrap();
    eventually("it is deleted", || async { api.get_opt("a").await.unwrap().is_none().then_some(()) }).await;
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_down_refuses_everything_for_a_while() {
    let sandbox = fast();
    let api: Api<ConfigMap> = Api::namespaced(sandbox.client(), NAMESPACE);
    sandbox.faults().set_down(true);
    assert!(matches!(api.list(&ListParams::default()).await.unwrap_err(), kube::Error::Service(_)));
    sandbox.faults().set_down(false);
    api.list(&ListParams::default()).await.unwrap();
}
