//! The cookie by which a browser is known: what a request brought, and what its answer sets. Knows neither people nor the database.

use crate::accounts::hash_secret;
use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::Response,
};
use domain::{accounts::Secret, ports::DEVICE_MS};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the session's cookie is called.
const NAME: &str = "__Host-kubernaut";
/// What browsers demand of a cookie with such a name, also where it is taken away again: RFC 6265bis, 4.1.3.2.
const DEMANDED: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";
/// By what a browser is known at the next sign-in; see `accounts::tries`.
const DEVICE: &str = "__Host-kubernaut-device";
/// What the browser keeps from the beginning of a sign-in at the provider to its end, so that nobody else ends it.
const SIGN_IN: &str = "__Host-kubernaut-sign-in";
/// Digits of a cookie's value, see [`crate::accounts::new_session_secret`].
const DIGITS: usize = 64;

/// The session of a request, if it came with one. Clones are one and the same.
#[derive(Clone, Debug, Default)]
pub struct Session(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// The hash by which the session is found.
    hash: Option<String>,
    /// The hash by which the browser itself is known.
    device: Option<String>,
    /// What the answer sets.
    cookie: Option<HeaderValue>,
    /// The same for the browser itself.
    device_cookie: Option<HeaderValue>,
    /// What was kept of a sign-in at the provider.
    sign_in: Option<Secret>,
    /// What the answer sets of one that begins.
    sign_in_cookie: Option<HeaderValue>,
}

impl Session {
    /// The session that a request's headers name.
    pub fn of(headers: &HeaderMap) -> Self {
        let hash_of = |name| value(headers, name).filter(|value| is_secret(value)).map(hash_secret);
        let sign_in = value(headers, SIGN_IN).filter(|value| is_secret(value)).map(|value| Secret(value.to_owned()));
        let (hash, device) = (hash_of(NAME), hash_of(DEVICE));
        Self(Arc::new(Mutex::new(Known { hash, device, sign_in, ..Known::default() })))
    }

    /// The hash by which the session is found.
    pub fn hash(&self) -> Option<String> {
        self.known().hash.clone()
    }

    /// The hash by which the browser itself is known, whoever is signed in there.
    pub fn device(&self) -> Option<String> {
        self.known().device.clone()
    }

    /// What the browser has kept since it began to sign in at the provider.
    pub fn sign_in(&self) -> Option<Secret> {
        self.known().sign_in.clone()
    }

    /// The browser keeps this while it signs in at the provider, so many milliseconds at most.
    pub fn set_sign_in(&self, secret: &Secret, keep_ms: i64) {
        self.known().sign_in_cookie = cookie(SIGN_IN, &secret.0, keep_ms);
    }

    /// From now on the browser itself is known by this.
    pub fn set_device(&self, secret: &Secret) {
        self.known().device_cookie = cookie(DEVICE, &secret.0, DEVICE_MS);
    }

    /// From now on the browser is known by this, and keeps it for so many milliseconds at most.
    pub fn set(&self, secret: &Secret, keep_ms: i64) {
        let mut known = self.known();
        known.hash = Some(hash_secret(&secret.0));
        known.cookie = cookie(NAME, &secret.0, keep_ms);
    }

    /// The browser is known no longer.
    pub fn clear(&self) {
        let mut known = self.known();
        known.hash = None;
        known.cookie = cookie(NAME, "", 0);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        parts.extensions.get().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// Reads the cookie of each request, and writes it where that has changed.
pub async fn cookies(mut request: Request, next: Next) -> Response {
    let session = Session::of(request.headers());
    request.extensions_mut().insert(session.clone());
    let mut answer = next.run(request).await;
    let changed = {
        let mut known = session.known();
        [known.cookie.take(), known.device_cookie.take(), known.sign_in_cookie.take()]
    };
    for cookie in changed.into_iter().flatten() {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

/// The value of a cookie; the first where there are several.
fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// Whether a cookie's value can be one of ours.
fn is_secret(value: &str) -> bool {
    value.len() == DIGITS && value.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A cookie of a name that begins with `__Host-`; gone at once with no time to keep it.
fn cookie(name: &str, value: &str, keep_ms: i64) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("{name}={value}; {DEMANDED}; Max-Age={}", keep_ms / 1000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn the_cookie_is_found_among_others_and_nothing_else_is_taken_for_it() {
        const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        let line: &'static str = Box::leak(format!("theme=dark; {NAME}={SECRET}; x=y").into_boxed_str());
        let session = Session::of(&headers(&["a=b", line]));
        assert_eq!((session.hash(), session.device(), session.sign_in()), (Some(hash_secret(SECRET)), None, None));
        let line: &'static str = Box::leak(format!("x{NAME}={SECRET}; {SIGN_IN}={SECRET}").into_boxed_str());
        let session = Session::of(&headers(&[line]));
        assert_eq!((session.hash(), session.sign_in()), (None, Some(Secret(SECRET.into()))));
        for none in [&[][..], &["kubernaut=x"], &["__Host-kubernaut=short"], &["__Host-kubernaut"]] {
            assert_eq!(Session::of(&headers(none)).hash(), None, "{none:?}");
        }
    }

    #[test]
    fn a_browser_takes_the_cookie_and_lets_go_of_it() {
        let session = Session::default();
        session.set(&Secret("ab".repeat(32)), 12_345);
        assert_eq!(session.hash(), Some(hash_secret(&"ab".repeat(32))));
        let set = session.known().cookie.take().unwrap();
        session.clear();
        assert_eq!(session.hash(), None);
        let gone = session.known().cookie.take().unwrap();
        for (cookie, keeps) in [(&set, "Max-Age=12"), (&gone, "Max-Age=0")] {
            let cookie = cookie.to_str().unwrap();
            // Without `Secure` and `Path=/` browsers ignore a cookie of this name, also one that takes it away.
            for part in ["__Host-kubernaut=", "Path=/", "Secure", "HttpOnly", "SameSite=Strict", keeps] {
                assert!(cookie.contains(part), "{part} in {cookie}");
            }
            assert!(!cookie.contains("Domain"));
        }
    }
}
