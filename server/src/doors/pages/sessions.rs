//! The forms by which sessions are ended: one's own, and by an admin somebody else's.

use super::{
    Parts, again,
    reauthentication::Sent,
    settings::{ACCOUNTS, account, done, refused},
    who,
};
use crate::doors::{
    access::{Access, Routes, Whose},
    gate::Gate,
    session::Session,
};
use axum::{
    extract::{Path, State},
    http::Method,
    response::{IntoResponse as _, Redirect, Response},
};
use domain::{
    identity::Right,
    services::{AccountService as _, ServiceError},
};

const SESSIONS: &str = "/settings/sessions";

pub fn routes(routes: Routes) -> Routes {
    routes
        .add(Method::POST, "/settings/sessions/{id}/end", Access::SignedIn, end)
        .whose(Whose::Persons)
        .add(Method::POST, "/settings/sessions/end-others", Access::SignedIn, end_others)
        .whose(Whose::Persons)
        .add(Method::POST, "/settings/accounts/{id}/sessions", Access::Needs(Right::AccountsWrite), end_of)
}

/// Ends one. Whoever ends the one that they have here is signed out.
async fn end(State(gate): State<Gate>, session: Session, Path(id): Path<String>, parts: Parts) -> Response {
    let ended = async {
        let caller = who(&parts)?;
        gate.accounts.end_session(&caller, &id).await?;
        Ok::<_, ServiceError>(caller.session.is_some_and(|here| here.id == id))
    };
    match ended.await {
        Ok(true) => {
            session.clear();
            Redirect::to("/login").into_response()
        }
        Ok(false) => done(SESSIONS, "one"),
        Err(error) => again(&gate, SESSIONS, parts, refused(&Vec::new(), &error, None)).await,
    }
}

async fn end_others(State(gate): State<Gate>, parts: Parts) -> Response {
    let ended = async { gate.accounts.end_other_sessions(&who(&parts)?).await };
    match ended.await {
        Ok(_) => done(SESSIONS, "others"),
        Err(error) => again(&gate, SESSIONS, parts, refused(&Vec::new(), &error, None)).await,
    }
}

async fn end_of(State(gate): State<Gate>, Path(id): Path<String>, sent: Sent) -> Response {
    let ended = async { gate.accounts.end_sessions_of(&who(&sent.parts)?, &account(&id)?).await };
    match ended.await {
        Ok((user, _)) => done(ACCOUNTS, &user.name),
        Err(ServiceError::SignInAgain(why)) => sent.ask(&gate, why).await,
        Err(error) => again(&gate, ACCOUNTS, sent.parts, refused(&Vec::new(), &error, Some(&id))).await,
    }
}
