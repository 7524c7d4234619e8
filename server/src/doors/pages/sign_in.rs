//! Signing in with a password, and out. Who guesses is slowed down by where they come from and by the name they try; never so that
//! whose name it is stays out where they have signed in before.

use super::{Parts, again, oidc, who};
use crate::{
    accounts::{SignIn, Unchecked},
    doors::{
        form::{Fields, Form, field},
        gate::{self, Gate, RequestId},
        session::Session,
    },
};
use app::FormOutcome;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};

/// Where the form of name and password goes.
const PAGE: &str = "/login";

pub async fn sign_in(State(gate): State<Gate>, session: Session, parts: Parts, Form(fields): Form) -> Response {
    let (name, password) =
        (field(&fields, "username").unwrap_or_default(), field(&fields, "password").unwrap_or_default());
    let next = app::pages::login::safe_next(field(&fields, "next"));
    let by = SignIn {
        route: format!("POST {PAGE}"),
        request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
        way: gate::way(PAGE, &parts.extensions),
        from: parts.came_from(),
        replaces: session.hash(),
        id_token: None,
    };
    if !gate.accounts.local() {
        noted(&gate, &by, "account.refuse_sign_in", None).await;
        let message = "Accounts of this console are switched off. Sign in at the provider.".to_owned();
        return again(&gate, PAGE, parts, refused(name, next, StatusCode::FORBIDDEN, message)).await;
    }
    let (status, message) = match tried(&gate, &session, &parts, name, password, &by).await {
        Ok(Tried::In) => return Redirect::to(&next).into_response(),
        Ok(Tried::Wrong) => {
            noted(&gate, &by, "account.refuse_sign_in", gate.accounts.named(name).await).await;
            (StatusCode::UNAUTHORIZED, "User name or password is wrong.".to_owned())
        }
        Ok(Tried::TooOften(seconds)) => {
            noted(&gate, &by, "account.limit_sign_in", None).await;
            let outcome = refused(name, next, StatusCode::TOO_MANY_REQUESTS, too_often(seconds));
            return later(again(&gate, PAGE, parts, outcome).await, seconds);
        }
        Err(Unchecked::Busy) => {
            let message = "Too many people sign in at once. Try again in a few seconds.";
            (StatusCode::SERVICE_UNAVAILABLE, message.to_owned())
        }
        Err(error) => {
            tracing::error!(%error, "sign-in can't be checked");
            (StatusCode::SERVICE_UNAVAILABLE, "The database is not available. Try again in a moment.".to_owned())
        }
    };
    again(&gate, PAGE, parts, refused(name, next, status, message)).await
}

/// Notes a sign-in that was refused; `account` where there is one of that name.
async fn noted(gate: &Gate, by: &SignIn, action: &str, account: Option<String>) {
    gate.refusals.sign_in(action, account, &by.route, by.way, &by.request_id).await;
}

/// What a try came to.
enum Tried {
    /// They are signed in.
    In,
    /// Name or password is wrong; which, nobody is told.
    Wrong,
    /// Nobody looked: it was one too many, seconds to wait.
    TooOften(u32),
}

async fn tried(
    gate: &Gate,
    session: &Session,
    parts: &Parts,
    name: &str,
    password: &str,
    by: &SignIn,
) -> Result<Tried, Unchecked> {
    let device = session.device();
    let trying = gate.accounts.trying(name, device.as_deref()).await?;
    // What comes from elsewhere, or from the same network, does not count against somebody at a browser of their own.
    let mut wait = if trying.known() { None } else { gate.limits.sign_in(name, parts.address()) };
    if wait.is_none() {
        wait = gate.accounts.may_try(&trying).await?;
    }
    if let Some(seconds) = wait {
        return Ok(Tried::TooOften(seconds));
    }
    let Some((user, secret)) = gate.accounts.sign_in(name, password, by).await? else { return Ok(Tried::Wrong) };
    session.set(&secret, gate.accounts.cookie_ms());
    gate.accounts.tried_well(&trying).await;
    known(gate, session, &user.id, session.device().filter(|_| trying.known())).await;
    Ok(Tried::In)
}

/// Makes the browser known for this person: by the device cookie that it has for them, or by a new one. That it can't be done now is
/// no reason to turn somebody away.
pub async fn known(gate: &Gate, session: &Session, user_id: &str, device: Option<String>) {
    match gate.accounts.know_device(user_id, device.as_deref()).await {
        Ok(Some(secret)) => session.set_device(&secret),
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "a browser can't be made known"),
    }
}

/// The form as it is shown again.
fn refused(name: &str, next: String, status: StatusCode, message: String) -> FormOutcome {
    let fields: Fields = vec![("username".to_owned(), name.to_owned()), ("next".to_owned(), next)];
    FormOutcome { fields, message: Some(message), status, ..FormOutcome::default() }
}

/// What is said to whoever tries too often.
pub fn too_often(seconds: u32) -> String {
    format!("Too many attempts. Try again in {seconds} s.")
}

/// The answer with how long to wait.
pub fn later(mut answer: Response, seconds: u32) -> Response {
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// Ends the session here, and leads on to the provider where its person signed in there.
pub async fn sign_out(State(gate): State<Gate>, session: Session, parts: Parts) -> Response {
    let mut id_token = None;
    if let (Some(hash), Ok(caller)) = (session.hash(), who(&parts)) {
        match gate.accounts.sign_out(&caller, &hash).await {
            Ok(kept) => id_token = kept,
            Err(error) => tracing::error!(%error, "a session can't be ended"),
        }
    }
    session.clear();
    oidc::signed_out(&gate, parts, id_token).await
}
