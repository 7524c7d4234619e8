//! The way to the provider and back. It begins by a form of ours and ends by one: coming back is a link from another site, which
//! has no effect (`safety.md`, Who may do what) and brings none of our cookies, for they are all `SameSite=Strict`.

use super::{Parts, again, open_session, render};
use crate::{
    accounts::oidc::{Answered, CALLBACK, Oidc, SignInFault},
    doors::{
        access::{Access, Routes},
        form::{Form, field},
        gate::{self, Gate, RequestId, SESSION_USER},
        problem::Problem,
    },
};
use app::{
    Away, FormOutcome,
    pages::login::{REFUSED_THERE, STILL_THERE, safe_next},
};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use domain::{ports::SIGN_IN_MS, services::ServiceError};
use tower_sessions::Session;

/// Where a sign-in begins.
const BEGIN: &str = "/login/oidc";
/// What the browser keeps from the beginning of a sign-in to its end.
const COOKIE: &str = "__Host-kubernaut-sign-in";
/// The characters of its value.
const COOKIE_LETTERS: usize = 64;
/// The key under which a session that began at the provider holds its person and the ID token, for signing out there.
const HINT: &str = "id_token";
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

async fn begin(State(gate): State<Gate>, parts: Parts, Form(fields): Form) -> Response {
    let Some(oidc) = gate.oidc.clone() else { return nowhere() };
    if let Some(refused) = too_often(&gate, &parts, BEGIN).await {
        return refused;
    }
    let next = safe_next(field(&fields, "next"));
    let browser = kept(&parts.headers).map(str::to_owned);
    match oidc.begin(&next, browser.as_deref()).await {
        Ok(begun) => {
            let seconds = SIGN_IN_MS / 1000;
            let cookie =
                format!("{COOKIE}={}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict", begun.browser);
            let mut answer = away(&gate, parts, &oidc, begun.url, false).await;
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                answer.headers_mut().append(header::SET_COOKIE, cookie);
            }
            answer
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
    let browser = kept(&parts.headers).map(str::to_owned);
    match oidc.finish(&answered, browser.as_deref(), &route, &id, way).await {
        Ok(signed_in) => match keep(&session, &signed_in.user.id, signed_in.hint).await {
            Ok(()) => Redirect::to(&signed_in.next).into_response(),
            Err(error) => {
                tracing::error!(%error, "a session can't be opened");
                let message = "The database is not available. Try again in a moment.".to_owned();
                told(&gate, parts, StatusCode::SERVICE_UNAVAILABLE, message, signed_in.next).await
            }
        },
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

/// Opens a session that knows what it takes to end it at the provider, too.
async fn keep(session: &Session, user: &str, hint: String) -> Result<(), tower_sessions::session::Error> {
    open_session(session, user).await?;
    let hint = Some(hint).filter(|hint| hint.len() <= LONGEST_HINT).unwrap_or_default();
    session.insert(HINT, (user.to_owned(), hint)).await
}

/// What a session that began at the provider holds for signing out there; none for any other, whatever was in this browser before.
pub async fn hint(session: &Session) -> Option<String> {
    let user: String = session.get(SESSION_USER).await.ok()??;
    let (of, hint): (String, String) = session.get(HINT).await.ok()??;
    (of == user).then_some(hint)
}

/// The answer to signing out, of a session that has ended here: the browser goes on to the provider where that can be told, and
/// else it is said that one is still signed in there.
pub async fn signed_out(gate: &Gate, parts: Parts, hint: Option<String>) -> Response {
    match (gate.oidc.clone(), hint) {
        (Some(oidc), Some(hint)) => match oidc.end_session(&hint) {
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

/// What this browser keeps from the beginning of a sign-in.
fn kept(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let own = |pair: &str| pair.trim().split_once('=').is_some_and(|(name, _)| name == COOKIE);
    let pair = cookies.flat_map(|line| line.split(';')).find(|pair| own(pair))?;
    let (_, value) = pair.trim().split_once('=')?;
    let good = value.len() == COOKIE_LETTERS && value.bytes().all(|b| b.is_ascii_hexdigit());
    good.then_some(value)
}

async fn too_often(gate: &Gate, parts: &Parts, path: &str) -> Option<Response> {
    let way = gate::way(path, &parts.extensions);
    let seconds = gate.limits.sign_in_there(way.address)?;
    gate.refusals.sign_in("account.limit_sign_in", None, &format!("POST {path}"), way, &id_of(parts)).await;
    let parts = Parts { headers: parts.headers.clone(), extensions: parts.extensions.clone() };
    let message = format!("Too many attempts. Try again in {seconds} s.");
    let mut answer = told(gate, parts, StatusCode::TOO_MANY_REQUESTS, message, "/".into()).await;
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    Some(answer)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_browser_keeps_is_its_own_cookie_of_the_right_form() {
        let value = "0f".repeat(32);
        let of = |cookies: &str| {
            let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookies).unwrap())]);
            kept(&headers).map(str::to_owned)
        };
        assert_eq!(of(&format!("theme=dark; {COOKIE}={value}; x=y")), Some(value.clone()));
        assert_eq!(of(&format!("x{COOKIE}={value}")), None);
        assert_eq!(of(&format!("{COOKIE}={}", &value[1..])), None);
        assert_eq!(of(&format!("{COOKIE}={}", "zz".repeat(32))), None);
    }
}
