//! Notifications: what the page must show of receivers and of what did not arrive, and to whom it offers what.

use crate::{between, html, samples::NOW, tag};
use app::{
    FormOutcome,
    pages::settings::notifications::{Shown, notifications_page},
    query::Query,
};
use domain::{
    identity::{Actor, Caller, Role, Way},
    ids::{ActorId, RecommendationId},
    notification::{Notice, Occasion},
    paging::PageOf,
    ports::{NotificationRecord, NotificationState},
    recommendation::{RecommendationState, Severity},
    services::ReceiverView,
};

fn caller(role: Role) -> Caller {
    Caller {
        actor: Actor::new(ActorId::new("user:1"), "mara"),
        roles: vec![role],
        request_id: String::new(),
        route: String::new(),
        way: Way::default(),
        session: None,
    }
}

fn receiver(name: &str, host: Option<&str>) -> ReceiverView {
    ReceiverView {
        name: name.into(),
        host: host.map(str::to_owned),
        events: vec![Occasion::New, Occasion::Expiring],
        severities: vec![Severity::High],
        environments: vec!["production".into()],
        waiting: 2,
        dead: 1,
        delivered_at: None,
    }
}

fn record(id: &str, state: NotificationState, reason: Option<&str>) -> NotificationRecord {
    NotificationRecord {
        id: format!("new_{id}.chat"),
        event_id: format!("new_{id}"),
        receiver: "chat".into(),
        occasion: Occasion::New,
        notice: Notice {
            id: Some(RecommendationId::new(id)),
            title: "OOMKilled: <b>Deployment</b> shop/cart".into(),
            severity: Some(Severity::High),
            environment: None,
            target: None,
            state: Some(RecommendationState::Open),
            decision: None,
            deadline: None,
        },
        state,
        attempts: 3,
        created_at: NOW,
        due_at: (state == NotificationState::Waiting).then_some(NOW.plus_ms(90_000)),
        tried_at: Some(NOW),
        reason: reason.map(str::to_owned),
    }
}

fn page(role: Role, receivers: Vec<ReceiverView>, open: Vec<NotificationRecord>, query: &str) -> String {
    let shown = Shown {
        receivers,
        open: PageOf { items: open, next_cursor: Some("abc".into()) },
        ended: vec![
            record("r-3", NotificationState::Delivered, None),
            record("r-4", NotificationState::Discarded, None),
        ],
    };
    let query = Query::parse(query);
    html(|| notifications_page(shown, caller(role), FormOutcome::default(), query, Vec::new(), NOW))
}

fn open() -> Vec<NotificationRecord> {
    vec![
        record("r-1", NotificationState::Waiting, Some("it answered 500")),
        record("r-2", NotificationState::Dead, Some("hooks.example did not answer: no answer in time")),
    ]
}

#[test]
fn what_did_not_arrive_says_why_and_what_can_be_done() {
    let receivers = vec![receiver("chat", Some("hooks.example")), receiver("old", None)];
    let page = page(Role::Admin, receivers, open(), "done=redelivered");
    assert!(page.contains("It is delivered again"), "{page}");
    assert!(page.contains("new, expiring; severity high; in production"), "{page}");
    assert!(page.contains("no longer in the settings"), "{page}");
    assert!(page.contains("/settings/notifications/receivers/chat/test"), "{page}");
    assert!(!page.contains("/settings/notifications/receivers/old/test"), "nobody is there to hear it");
    let rows = between(&page, "What did not arrive", "</table>");
    assert!(rows.contains("It answered 500.") && rows.contains("again in 1m 30s"), "{rows}");
    assert!(rows.contains("Not delivered") && rows.contains("no answer in time."), "{rows}");
    assert!(rows.contains("href=\"/recommendations/r-2\"") && rows.contains("&lt;b&gt;Deployment"), "{rows}");
    assert!(rows.contains("new_r-2.chat/redeliver") && rows.contains("new_r-1.chat/discard"), "{rows}");
    assert!(!rows.contains("new_r-1.chat/redeliver"), "it is delivered anyway: {rows}");
    assert!(tag(&page, "new_r-2.chat/redeliver").contains("method=\"post\""), "{page}");
    let ended = between(&page, "What arrived or was discarded", "</table>");
    assert!(ended.contains("new_r-4.chat/redeliver") && !ended.contains("new_r-3.chat/"), "{ended}");
    assert!(
        page.contains("cursor=abc") && !page.contains("done=redelivered&"),
        "the next page says nothing was done: {page}"
    );
}

#[test]
fn who_may_only_read_is_offered_nothing() {
    let page = page(Role::Auditor, vec![receiver("chat", Some("hooks.example"))], open(), "");
    assert!(page.contains("It answered 500."), "{page}");
    for act in ["/redeliver", "/discard", "/test"] {
        assert!(!page.contains(act), "{act}");
    }
}

#[test]
fn an_empty_place_says_what_to_do() {
    let page = page(Role::Admin, Vec::new(), Vec::new(), "");
    assert!(page.contains("Nobody is told") && page.contains("--notify-file"), "{page}");
    assert!(page.contains("Nothing waits"), "{page}");
}
