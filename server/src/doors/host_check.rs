//! What a request must be before anybody looks at it: meant for this console, under an address of a sensible length.

use super::{gate::Gate, problem::Problem};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{net::IpAddr, sync::Arc};

/// The longest path and query, bytes: more than any list's filters and cursor.
const MAX_ADDRESS: usize = 32 << 10;

/// The names by which the console is reached: its own, each loopback address (a port-forward, a proxy on the same machine), and what the
/// settings add. Another name that leads here is a trap for somebody's browser (DNS rebinding), or a mistake.
#[derive(Clone, Debug)]
pub struct Hosts(Arc<[String]>);

impl Hosts {
    /// Of the console's address, and of further names.
    pub fn new(public_url: &str, more: &[String]) -> Self {
        let own = public_url.parse::<Uri>().ok().and_then(|url| url.host().map(plain));
        Self(own.into_iter().chain(more.iter().map(|name| plain(name))).collect())
    }

    fn know(&self, authority: &str) -> bool {
        let Some(host) = authority.parse::<Authority>().ok().filter(|all| !all.as_str().contains('@')) else {
            return false;
        };
        let host = plain(host.host());
        let loopback = || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        self.0.contains(&host) || loopback()
    }
}

/// A host as it is compared: small letters, no brackets, no dot at its end. Its port is the way's affair.
fn plain(host: &str) -> String {
    host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase()
}

/// Refuses what is meant for somebody else, or can't be meant at all. What proxies say about the host has no say.
pub async fn proper(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    match judge(&gate.hosts, &gate.public_url, request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn judge(hosts: &Hosts, public_url: &str, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let mut named = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else {
        let detail = "say once, in the header Host, which host this is meant for";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad-request", detail));
    };
    let mut all = host.to_str().ok().into_iter().chain(uri.authority().map(Authority::as_str));
    if host.to_str().is_err() || !all.all(|host| hosts.know(host)) {
        let detail = format!("this console has another address: use {public_url}; --allowed-hosts adds names");
        return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "misdirected", detail));
    }
    if uri.path_and_query().is_some_and(|address| address.as_str().len() > MAX_ADDRESS) {
        let detail = format!("the address is longer than {MAX_ADDRESS} bytes; ask for less");
        return Err(Problem::new(StatusCode::URI_TOO_LONG, "too-long-address", detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn status(hosts: &[&str], uri: &str) -> u16 {
        let known = Hosts::new("https://Console.example:8443", &["console.ns.svc".to_owned()]);
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, HeaderValue::from_str(host).unwrap());
        }
        let judged = judge(&known, "https://console.example:8443", &uri.parse().unwrap(), &headers);
        judged.map_or_else(|problem| problem.into_response().status().as_u16(), |()| 200)
    }

    #[test]
    fn only_what_is_meant_for_us_is_looked_at() {
        for good in [
            "console.example",
            "console.example:8443",
            "CONSOLE.EXAMPLE.",
            "console.ns.svc:80",
            "localhost:3000",
            "127.0.0.1:4000",
            "[::1]:3000",
        ] {
            assert_eq!(status(&[good], "/"), 200, "{good}");
        }
        for bad in [
            "evil.example",
            "console.example.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1:3000",
            "a@console.example",
            "",
            "::1",
        ] {
            assert_eq!(status(&[bad], "/"), 421, "{bad:?}");
        }
        assert_eq!(status(&[], "/"), 400);
        assert_eq!(status(&["console.example", "evil.example"], "/"), 400);
        assert_eq!(status(&["console.example"], "http://evil.example/"), 421, "the whole address counts, too");
        assert_eq!(status(&["console.example"], "http://console.example/"), 200);
    }

    #[test]
    fn an_address_ends_somewhere() {
        let of = |length: usize| format!("/{}", "x".repeat(length - 1));
        assert_eq!(status(&["localhost"], &of(MAX_ADDRESS)), 200);
        assert_eq!(status(&["localhost"], &of(MAX_ADDRESS + 1)), 414);
    }
}
