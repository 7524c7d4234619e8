//! What stands before every door: no mutation from another site, and the headers that every answer carries.

use super::{
    gate::{Gate, RequestId},
    problem::Problem,
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Refuses a mutation that another site caused: Fetch Metadata and Origin must both say "same origin" where they are
/// present, and one of them must be present where there is a cookie (`safety.md`, Who may do what).
pub async fn same_origin(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !safe && let Err(why) = judge(request.headers(), &gate.public_url) {
        let request_id = request.extensions().get::<RequestId>().map(|id| id.0.as_str()).unwrap_or_default();
        tracing::warn!(path = request.uri().path(), request_id, why, "refused: it came from elsewhere");
        return Problem::new(StatusCode::FORBIDDEN, "cross-site", why).into_response();
    }
    next.run(request).await
}

fn judge(headers: &HeaderMap, public_url: &str) -> Result<(), &'static str> {
    if [HeaderName::from_static("sec-fetch-site"), header::ORIGIN, header::HOST]
        .into_iter()
        .any(|name| headers.get_all(name).iter().count() > 1)
    {
        return Err("a request may say only once where it comes from");
    }
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let site = text(HeaderName::from_static("sec-fetch-site"));
    let origin = text(header::ORIGIN);
    if site.is_some_and(|s| s != "same-origin") {
        return Err("this came from another site; use the console's own pages");
    }
    if let Some(origin) = origin {
        // Behind a proxy or a port-forward the browser's own idea of the host is what counts. What came over plain http
        // may have been written by anybody on the way: it counts only where the console itself is reached so, which the
        // settings allow on a loopback address alone.
        let plain = || origin.strip_prefix("http://").filter(|_| public_url.starts_with("http://"));
        let named = origin.strip_prefix("https://").or_else(plain).filter(|host| !host.is_empty());
        let same_host = named.is_some() && named == text(header::HOST);
        if origin != public_url && !same_host {
            return Err("this came from another origin; use the console's own pages");
        }
    }
    if site.is_none() && origin.is_none() && headers.contains_key(header::COOKIE) {
        return Err("a request with a cookie must say where it comes from; programs use a token instead");
    }
    Ok(())
}

/// What no page of ours uses, and nothing that got into one may.
const UNUSED: &str =
    "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()";
/// Two years by https alone.
const HTTPS: &str = "max-age=63072000; includeSubDomains";

/// Headers of every answer. The pages' content security policy is set by the page itself, which knows the nonce.
pub async fn headers(State(https): State<bool>, request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let all: [(HeaderName, &'static str); 6] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), UNUSED),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in all {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if https {
        answer.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HTTPS));
    }
    // What may be kept says by whom.
    let kept = |how: &HeaderValue| [&b"public"[..], b"private"].iter().any(|whose| how.as_bytes().starts_with(whose));
    if !answer.headers().get(header::CACHE_CONTROL).is_some_and(kept) {
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if !answer.headers().contains_key(header::CONTENT_SECURITY_POLICY) {
        let nothing = HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, nothing);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_our_own_pages_may_change_anything() {
        let ours = "https://console.example";
        for good in [
            with(&[
                ("origin", ours),
                ("host", "console.example"),
                ("sec-fetch-site", "same-origin"),
                ("cookie", "a=b"),
            ]),
            with(&[("origin", "https://other.example"), ("host", "other.example"), ("cookie", "a=b")]),
            with(&[("sec-fetch-site", "same-origin"), ("cookie", "a=b")]),
            with(&[("authorization", "Bearer x")]),
        ] {
            assert_eq!(judge(&good, ours), Ok(()), "{good:?}");
        }
        for bad in [
            with(&[("cookie", "a=b")]),
            with(&[("origin", "https://evil.example"), ("host", "console.example"), ("cookie", "a=b")]),
            with(&[("origin", "null"), ("host", "console.example")]),
            with(&[("origin", "null")]),
            with(&[("origin", ours), ("origin", "https://evil.example"), ("host", "console.example")]),
            with(&[("origin", "https://"), ("cookie", "a=b")]),
            with(&[("origin", "http://console.example"), ("host", "console.example"), ("cookie", "a=b")]),
            with(&[("origin", "http://127.0.0.1:3000"), ("host", "127.0.0.1:3000"), ("cookie", "a=b")]),
            with(&[("origin", ours), ("sec-fetch-site", "cross-site")]),
            with(&[("sec-fetch-site", "same-site"), ("cookie", "a=b")]),
            with(&[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin"), ("host", "console.example")]),
        ] {
            assert!(judge(&bad, ours).is_err(), "{bad:?}");
        }
        let forwarded = with(&[("origin", "http://127.0.0.1:4000"), ("host", "127.0.0.1:4000"), ("cookie", "a=b")]);
        assert_eq!(judge(&forwarded, "http://127.0.0.1:3000"), Ok(()), "a port-forward to a console on loopback");
    }
}
