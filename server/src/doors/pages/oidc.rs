//! The way to the provider and back. It begins by a form of ours and ends by one: coming back is a link from another site, which
//! has no effect (`safety.md`, Who may do what) and brings none of our cookies, for they are all `SameSite=Strict`.

use super::{
    Parts, again, render,
    sign_in::{later, too_often as put_off},
};
use crate::{
    accounts::{
        SignIn,
        oidc::{Answered, CALLBACK, Oidc, SignInFault, SignedIn},
    },
    doors::{
        access::{Access, Routes},
        form::{Form, field},
        gate::{self, Gate, RequestId},
        problem::Problem,
        session::Session,
    },
};
use app::{
    Away, FormOutcome,
    pages::login::{REFUSED_THERE, STILL_THERE, safe_next},
};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use domain::{accounts::Secret, identity::SignInMethod, ports::SIGN_IN_MS, provider::Refusal, services::ServiceError};

/// Where a sign-in begins.
const BEGIN: &str = "/login/oidc";
/// A longer ID token is not kept: it would not fit into an address.
const LONGEST_HINT: usize = 4096;

pub fn routes(routes: Routes) -> Routes {
    routes.add(Method::POST, BEGIN, Access::Public, begin).add(Method::GET, CALLBACK, Access::Public, super::show).add(
        Method::POST,
        CALLBACK,
        Access::Public,
        finish,
    )
}

async fn begin(State(gate): State<Gate>, session: Session, parts: Parts, Form(fields): Form) -> Response {
    let Some(oidc) = gate.oidc.clone() else { return nowhere() };
    if let Some(refused) = too_often(&gate, &parts, BEGIN).await {
        return refused;
    }
    let next = safe_next(field(&fields, "next"));
    let browser = session.sign_in();
    match oidc.begin(&next, browser.as_ref().map(|browser| browser.0.as_str())).await {
        Ok(begun) => {
            session.set_sign_in(&Secret(begun.browser), SIGN_IN_MS);
            away(&gate, parts, &oidc, begun.url, false).await
        }
        Err(fault) => {
            tracing::warn!(detail = fault.detail(), "a sign-in at the provider can't begin");
            refused(&gate, parts, &oidc, &fault, next).await
        }
    }
}

async fn finish(State(gate): State<Gate>, session: Session, parts: Parts, Form(fields): Form) -> Response {
    let Some(oidc) = gate.oidc.clone() else { return nowhere() };
    if let Some(refused) = too_often(&gate, &parts, CALLBACK).await {
        return refused;
    }
    let text = |name| field(&fields, name).map(str::to_owned);
    let answered = Answered {
        code: text("code").unwrap_or_default(),
        state: text("state").unwrap_or_default(),
        issuer: text("iss"),
    };
    let (route, way, id) = (format!("POST {CALLBACK}"), gate::way(CALLBACK, &parts.extensions), id_of(&parts));
    let browser = session.sign_in();
    let browser = browser.as_ref().map(|browser| browser.0.as_str());
    match oidc.finish(&answered, browser, &route, &id, way).await {
        Ok(signed_in) => {
            let by = SignIn {
                route,
                request_id: id,
                way,
                from: parts.came_from(),
                replaces: session.hash(),
                id_token: Some(kept(&signed_in.hint)),
            };
            opened(&gate, &session, parts, &oidc, signed_in, &by).await
        }
        Err(fault) => {
            if fault.of_a_stranger() {
                gate.refusals.sign_in("account.refuse_sign_in", None, &route, way, &id).await;
            }
            refused(&gate, parts, &oidc, &fault, "/".into()).await
        }
    }
}

fn id_of(parts: &Parts) -> String {
    parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

/// Begins the session of somebody whom the provider knows.
async fn opened(
    gate: &Gate,
    session: &Session,
    parts: Parts,
    oidc: &Oidc,
    SignedIn { user, next, .. }: SignedIn,
    by: &SignIn,
) -> Response {
    match gate.accounts.begin_session(&user, SignInMethod::Oidc, None, by).await {
        Ok(Some(secret)) => {
            session.set(&secret, gate.accounts.cookie_ms());
            Redirect::to(&next).into_response()
        }
        // Disabled a moment ago.
        Ok(None) => refused(gate, parts, oidc, &SignInFault::Refused(Refusal::Disabled, Vec::new()), next).await,
        Err(error) => {
            tracing::error!(%error, "a session can't be begun");
            refused(gate, parts, oidc, &SignInFault::Store(error), next).await
        }
    }
}

/// The ID token as it is kept with the session.
fn kept(hint: &str) -> Secret {
    Secret(if hint.len() <= LONGEST_HINT { hint.to_owned() } else { String::new() })
}

/// The answer to signing out, of a session that has ended here: the browser goes on to the provider where that can be told, and
/// else it is said that one is still signed in there.
pub async fn signed_out(gate: &Gate, parts: Parts, id_token: Option<Secret>) -> Response {
    match (gate.oidc.clone(), id_token) {
        (Some(oidc), Some(hint)) => match oidc.end_session(&hint.0) {
            Some(url) => away(gate, parts, &oidc, url, true).await,
            None => Redirect::to(&format!("/login?out={STILL_THERE}")).into_response(),
        },
        _ => Redirect::to("/login").into_response(),
    }
}

/// A page from which the browser goes on by itself. A redirect would do for a link; a form of ours may lead to our own pages
/// alone, by their content security policy.
async fn away(gate: &Gate, parts: Parts, oidc: &Oidc, url: String, out: bool) -> Response {
    let refresh = HeaderValue::from_str(&format!("0; url={url}"));
    let mut shown = Request::builder().method(Method::GET).uri("/login").body(Body::empty()).unwrap_or_default();
    *shown.headers_mut() = parts.headers;
    *shown.extensions_mut() = parts.extensions;
    shown.extensions_mut().insert(Away { url, provider: oidc.rules().provider.clone(), out });
    let mut answer = render(gate, shown, None, None).await;
    if let Ok(refresh) = refresh {
        answer.headers_mut().insert(header::REFRESH, refresh);
    }
    answer
}

async fn too_often(gate: &Gate, parts: &Parts, path: &str) -> Option<Response> {
    let way = gate::way(path, &parts.extensions);
    let seconds = gate.limits.sign_in_there(way.address)?;
    gate.refusals.sign_in("account.limit_sign_in", None, &format!("POST {path}"), way, &id_of(parts)).await;
    let parts = Parts { headers: parts.headers.clone(), extensions: parts.extensions.clone() };
    let answer = told(gate, parts, StatusCode::TOO_MANY_REQUESTS, put_off(seconds), "/".into()).await;
    Some(later(answer, seconds))
}

async fn refused(gate: &Gate, parts: Parts, oidc: &Oidc, fault: &SignInFault, next: String) -> Response {
    told(gate, parts, fault.status(), fault.in_words(&oidc.rules().provider), next).await
}

/// The sign-in page with why it was not done, and which request that was.
async fn told(gate: &Gate, parts: Parts, status: StatusCode, message: String, next: String) -> Response {
    let outcome = FormOutcome {
        fields: vec![("next".into(), next)],
        message: Some(message),
        code: REFUSED_THERE.into(),
        status,
        ..FormOutcome::default()
    };
    again(gate, "/login", parts, outcome).await
}

/// Without a provider there is nothing here.
fn nowhere() -> Response {
    Problem::from(ServiceError::NotFound("page")).into_response()
}
