//! The forms of the page of notifications: a test, delivering again, discarding.

use super::{
    Parts, again,
    settings::{done, refused},
    who,
};
use crate::doors::{
    access::{Access, Routes},
    gate::Gate,
};
use app::pages::settings::notifications::{DISCARDED, PATH, REDELIVERED, TESTED};
use axum::{
    extract::{Path, State},
    http::Method,
    response::Response,
};
use domain::{
    identity::Right,
    services::{NotificationService as _, ServiceError},
};

pub fn routes(routes: Routes) -> Routes {
    let write = Access::Needs(Right::NotificationsWrite);
    routes
        .add(Method::POST, "/settings/notifications/receivers/{receiver}/test", write, test)
        .add(Method::POST, "/settings/notifications/{id}/redeliver", write, redeliver)
        .add(Method::POST, "/settings/notifications/{id}/discard", write, discard)
}

async fn test(State(gate): State<Gate>, Path(receiver): Path<String>, parts: Parts) -> Response {
    let sent = async { gate.notifications.test(&who(&parts)?, &receiver).await.map(|_| ()) };
    told(&gate, sent.await, TESTED, parts).await
}

async fn redeliver(State(gate): State<Gate>, Path(id): Path<String>, parts: Parts) -> Response {
    let moved = async { gate.notifications.redeliver(&who(&parts)?, &id).await.map(|_| ()) };
    told(&gate, moved.await, REDELIVERED, parts).await
}

async fn discard(State(gate): State<Gate>, Path(id): Path<String>, parts: Parts) -> Response {
    let moved = async { gate.notifications.discard(&who(&parts)?, &id).await.map(|_| ()) };
    told(&gate, moved.await, DISCARDED, parts).await
}

async fn told(gate: &Gate, came: Result<(), ServiceError>, what: &str, parts: Parts) -> Response {
    match came {
        Ok(()) => done(PATH, what),
        Err(error) => again(gate, PATH, parts, refused(&Vec::new(), &error, None)).await,
    }
}
