//! Calls to addresses that a setting or another party names (`safety.md`, Who may do what): encrypted, to hosts outside unless
//! the inside is allowed, within a time and a size, and never on to where an answer leads. It knows nobody who is called.

use axum::http;
use reqwest::{
    Certificate, Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

/// The longest answer that is read, bytes.
pub const MAX_ANSWER: usize = 1 << 20;
/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long a call may take from its beginning to the end of its answer.
const WITHIN: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// It would be read on the way.
    #[error("{0} is not called: write https://, plain http:// is for loopback addresses only")]
    Plain(String),
    /// It has a private address, and that is not allowed.
    #[error("{0} has no public address, and private ones are not allowed")]
    Private(String),
    /// It leads elsewhere.
    #[error("it answered with {0} and another address, which is not followed")]
    Redirect(u16),
    /// More than is read.
    #[error("its answer is longer than {MAX_ANSWER} bytes")]
    TooLong,
    /// What can't be used as it is.
    #[error("{0}")]
    Unusable(String),
    /// Anything else on the way.
    #[error("{0}")]
    Failed(String),
}

/// Makes such calls; cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    client: Client,
    private: bool,
}

impl Outbound {
    /// Believes the system's authorities and these (PEM). `private` allows private addresses.
    pub fn new(authorities: Option<&[u8]>, private: bool) -> Result<Self, OutboundError> {
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(WITHIN)
            .dns_resolver(Arc::new(Names { private }))
            .user_agent(concat!("kubernaut-console/", env!("CARGO_PKG_VERSION")));
        for authority in
            authorities.map(Certificate::from_pem_bundle).transpose().map_err(|e| failed(&e))?.unwrap_or_default()
        {
            builder = builder.add_root_certificate(authority);
        }
        Ok(Self { client: builder.build().map_err(|e| failed(&e))?, private })
    }

    /// One call.
    pub async fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, OutboundError> {
        let request = reqwest::Request::try_from(request).map_err(|e| OutboundError::Unusable(in_words(&e)))?;
        self.check(request.url())?;
        let mut answer = self.client.execute(request).await.map_err(|e| failed(&e.without_url()))?;
        if answer.status().is_redirection() {
            return Err(OutboundError::Redirect(answer.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(some) = answer.chunk().await.map_err(|e| failed(&e.without_url()))? {
            if body.len() + some.len() > MAX_ANSWER {
                return Err(OutboundError::TooLong);
            }
            body.extend_from_slice(&some);
        }
        let mut read = http::Response::new(body);
        *read.status_mut() = answer.status();
        *read.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(read)
    }

    /// What of an address is known before it is called. Addresses in numbers are not asked of the resolver.
    fn check(&self, url: &Url) -> Result<(), OutboundError> {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let number = host.parse::<IpAddr>().ok();
        let loopback = host == "localhost" || number.is_some_and(|ip| ip.is_loopback());
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return Err(OutboundError::Plain(host.to_owned()));
        }
        if !self.private && number.is_some_and(|ip| !is_public(ip)) {
            return Err(OutboundError::Private(host.to_owned()));
        }
        Ok(())
    }
}

/// The system's resolver, without the addresses that may not be called: what is connected to is what was judged.
struct Names {
    private: bool,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(allowed(name, self.private))
    }
}

async fn allowed(name: Name, private: bool) -> Result<Addrs, Box<dyn Error + Send + Sync>> {
    let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
    let allowed: Vec<SocketAddr> = found.filter(|at| private || is_public(at.ip())).collect();
    if allowed.is_empty() {
        return Err(OutboundError::Private(name.as_str().to_owned()).into());
    }
    Ok(Box::new(allowed.into_iter()))
}

/// Whether an address is one of the Internet's, and none that leads inside (RFC 6890 and what came after it).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_documentation();
            let shared = a == 100 && (64..128).contains(&b);
            let set_aside = a == 0 || a >= 224 || (a, b, c) == (192, 0, 0) || (a == 198 && (18..20).contains(&b));
            !(special || shared || set_aside)
        }
        IpAddr::V6(v6) => {
            let [a, b, ..] = v6.segments();
            // Global unicast, without the parts in which an address of version 4 is wrapped, and without examples.
            (a & 0xe000) == 0x2000 && a != 0x2002 && !(a == 0x2001 && (b == 0 || b == 0x0db8))
        }
    }
}

fn failed(error: &(dyn Error + 'static)) -> OutboundError {
    OutboundError::Failed(in_words(error))
}

/// An error with what caused it: the first words alone say only that something failed.
pub fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !words.ends_with(&more) {
            words = format!("{words}: {more}");
        }
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, http::Request, response::Redirect, routing::get};

    async fn call(outbound: &Outbound, url: &str) -> Result<http::Response<Vec<u8>>, OutboundError> {
        outbound.send(Request::get(url).body(Vec::new()).unwrap()).await
    }

    #[test]
    fn the_inside_is_known_by_its_addresses() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.8",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "ff02::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1", "2001:4860:4860::8888"] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[tokio::test]
    async fn private_addresses_and_plain_ones_are_not_called() {
        let outbound = Outbound::new(None, false).unwrap();
        for (url, told) in [
            ("https://127.0.0.1:1/", "private ones are not allowed"),
            ("https://[::1]:1/", "private ones are not allowed"),
            ("https://localhost:1/", "private ones are not allowed"),
            ("http://example.com/", "write https://"),
            ("ftp://127.0.0.1/", "write https://"),
        ] {
            let error = call(&outbound, url).await.unwrap_err().to_string();
            assert!(error.contains(told), "{url}: {error}");
        }
        let allowed = Outbound::new(None, true).unwrap();
        let error = call(&allowed, "http://10.0.0.1/").await.unwrap_err().to_string();
        assert!(error.contains("write https://"), "unencrypted on this machine alone: {error}");
    }

    #[tokio::test]
    async fn nothing_is_followed_and_nothing_long_is_read() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/away", get(|| async { Redirect::to("/here") }))
            .route("/here", get(|| async { "here" }))
            .route("/long", get(|| async { "x".repeat(MAX_ANSWER + 1) }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let outbound = Outbound::new(None, true).unwrap();
        let here = call(&outbound, &format!("http://{at}/here")).await.unwrap();
        assert_eq!((here.status().as_u16(), here.body().as_slice()), (200, b"here".as_slice()));
        let away = call(&outbound, &format!("http://{at}/away")).await;
        assert!(matches!(away, Err(OutboundError::Redirect(303))), "{away:?}");
        let long = call(&outbound, &format!("http://{at}/long")).await;
        assert!(matches!(long, Err(OutboundError::TooLong)));
    }

    #[test]
    fn what_is_no_certificate_is_said() {
        let bad = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(Outbound::new(Some(bad), false).is_err());
    }
}
