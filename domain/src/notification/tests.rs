use super::*;
use crate::{
    identity::Actor,
    recommendation::{Origin, intake},
};
use serde_json::{Value, json};

fn recommendation(change: impl FnOnce(&mut Value)) -> Recommendation {
    let mut body = json!({
        "incident": {
            "id": "inc-1", "signal_type": "OOMKilled", "severity": "high", "environment": "production",
            "resource": { "kind": "Pod", "namespace": "shop", "name": "cart-1" },
            "business_context": { "canary": "canary-context" },
        },
        "analysis_summary": "canary-summary", "root_cause_assessment": "canary-cause",
        "strategies": [{
            "action_type": "scale", "workflow_id": "w", "confidence": 0.5, "rationale": "canary-rationale",
            "estimated_risk": "low",
            "parameters": {
                "TARGET_RESOURCE_KIND": "Deployment", "TARGET_RESOURCE_NAME": "cart", "TARGET_NAMESPACE": "shop",
                "NOTE": "canary-parameter",
            },
        }],
        "warnings": ["canary-warning"], "context_used": { "logs": "canary-log" },
    });
    change(&mut body);
    Recommendation {
        id: RecommendationId::new("r-1"),
        revision: 1,
        state: RecommendationState::Open,
        origin: Origin::Model,
        proposer: Actor::system("canary-proposer"),
        cluster: "c".into(),
        created_at: Timestamp::from_millis(0),
        expires_at: Timestamp::from_millis(900_000),
        content: intake::parse(&body).expect("of this form"),
    }
}

fn body(occasion: Occasion, notice: Notice) -> Value {
    let id = notice.id.as_ref().map_or_else(|| "test_1".to_owned(), |id| occasion.event_id(id));
    let event = Event { id, occasion, at: Timestamp::from_millis(1_000), notice };
    serde_json::from_slice(&event.body("https://console.example").unwrap()).unwrap()
}

#[test]
fn an_event_is_a_cloud_event_that_says_what_it_must_and_nothing_else() {
    let sent = body(Occasion::New, Notice::open(&recommendation(|_| {})));
    assert_eq!(
        sent,
        json!({
            "specversion": "1.0", "id": "new_r-1", "source": "https://console.example",
            "type": "ai.kubernaut.recommendation.new", "subject": "r-1", "time": "1970-01-01T00:00:01.000Z",
            "datacontenttype": "application/json",
            "data": {
                "id": "r-1", "title": "OOMKilled: Deployment shop/cart", "severity": "high", "environment": "production",
                "target": { "kind": "Deployment", "namespace": "shop", "name": "cart" }, "state": "open",
                "deadline": "1970-01-01T00:15:00.000Z", "link": "https://console.example/recommendations/r-1",
            },
        })
    );
    assert!(!sent.to_string().contains("canary"), "{sent}");
}

#[test]
fn a_decision_is_told_with_what_it_was() {
    let sent = body(Occasion::Decided, Notice::decided(&recommendation(|_| {}), Verb::Reject, 7));
    assert_eq!((&sent["id"], &sent["type"]), (&json!("decided_r-1"), &json!("ai.kubernaut.recommendation.decided")));
    assert_eq!((&sent["data"]["state"], &sent["data"]["decision"]), (&json!("decided"), &json!("reject")));
    assert_eq!(sent["data"]["target"]["name"], "cart-1", "without the strategy the incident's own");
}

#[test]
fn a_title_is_one_short_line_of_what_is_seen() {
    let notice = Notice::open(&recommendation(|body| {
        body["incident"]["signal_type"] = json!("x".repeat(128));
        body["strategies"][0]["parameters"]["TARGET_RESOURCE_NAME"] = json!("y".repeat(200));
    }));
    assert_eq!(notice.title.chars().count(), TITLE_CHARACTERS + 1);
    let notice = Notice::open(&recommendation(|body| {
        body["strategies"][0]["parameters"]["TARGET_RESOURCE_NAME"] = json!("the password is hunter2");
    }));
    assert_eq!(notice.title, "OOMKilled: Pod shop/cart-1", "what is no name is not told");
    let notice = Notice::open(&recommendation(|body| {
        body["incident"]["resource"] = Value::Null;
        body["strategies"][0]["parameters"] = json!({});
    }));
    assert_eq!((notice.title.as_str(), notice.target), ("OOMKilled", None));
}

#[test]
fn a_test_leads_to_the_page_of_notifications() {
    let sent = body(Occasion::Test, Notice::test());
    assert_eq!(sent["data"]["link"], "https://console.example/settings/notifications");
    assert!(sent["subject"].is_null() && sent["data"]["id"].is_null(), "{sent}");
}

#[test]
fn what_is_kept_comes_back_as_it_was() {
    for notice in [Notice::open(&recommendation(|_| {})), Notice::test()] {
        let kept = serde_json::to_string(&notice).unwrap();
        assert_eq!(serde_json::from_str::<Notice>(&kept).unwrap(), notice);
    }
}

#[test]
fn a_receiver_is_told_what_it_asked_for() {
    let all = Subscription {
        receiver: "chat".into(),
        occasions: vec![Occasion::New, Occasion::Decided],
        severities: Vec::new(),
        environments: Vec::new(),
    };
    let notice = Notice::open(&recommendation(|_| {}));
    assert!(all.wants(Occasion::New, &notice) && !all.wants(Occasion::Expiring, &notice));
    let severe = Subscription { severities: vec![Severity::Critical], ..all.clone() };
    assert!(!severe.wants(Occasion::New, &notice));
    let there = Subscription { environments: vec!["Production".into()], ..all };
    assert!(there.wants(Occasion::New, &notice));
    let nowhere = Notice { environment: None, ..notice };
    assert!(!there.wants(Occasion::New, &nowhere));
}

#[test]
fn names_of_receivers_stand_in_addresses() {
    assert!(is_receiver("on-call-2"));
    for bad in ["", "-a", "a-", "On", "a b", "a/b", "ä", &"x".repeat(41)] {
        assert!(!is_receiver(bad), "{bad}");
    }
}
