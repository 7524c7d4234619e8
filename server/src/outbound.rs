//! Calls to addresses outside, such as those of the provider that people sign in at: only by https, and only where
//! the name leads to a public address, unless private ones are allowed. That is judged when the name is looked up, at each call, so that a name can't be moved inside between the look and the call. No redirects, no proxies of the
//! environment; time and answers are bounded. An address may hold a secret: no error repeats it.

mod address;

use address::is_public;
use axum::http;
use reqwest::{
    Certificate, Client, Request, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

/// What a call may take from its beginning to the end of its answer.
const WITHIN: Duration = Duration::from_secs(10);
/// What a connection may take.
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);
/// The longest answer that is read, bytes.
const MAX_ANSWER: usize = 1 << 20;

/// Why nothing came of a call.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// It is no address at all.
    #[error("this is no address: write https://host/path")]
    NoAddress,
    /// Without TLS, or with a name and password in the address.
    #[error(
        "only https is called, plain http on a loopback address alone, and an address has no name and password in it"
    )]
    NotHttps,
    /// The name leads to this machine, or into a private network.
    #[error("{0} leads to an address inside: private ones are not allowed")]
    Inside(String),
    /// It leads elsewhere.
    #[error("{host} answered with {status} and another address, which is not followed")]
    Redirect {
        /// Whom it was for.
        host: String,
        /// The status.
        status: u16,
    },
    /// More came than is read.
    #[error("the answer of {0} is longer than {max} bytes", max = MAX_ANSWER)]
    TooLong(String),
    /// No calls can be made with these authorities.
    #[error("the certificates can't be used: {0}")]
    Authorities(String),
    /// No connection, no answer, none in time.
    #[error("{host} did not answer: {detail}")]
    Failed {
        /// Whom it was for.
        host: String,
        /// What happened, without the address.
        detail: String,
    },
}

/// Makes such calls; cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    client: Client,
    /// Whether private addresses may be called.
    private: bool,
}

impl Outbound {
    /// Calls to whichever host is named by somebody who is believed: the settings, and who answers at their address. `authorities` (PEM)
    /// are believed besides the system's; `private` allows private addresses.
    ///
    /// # Errors
    /// When these certificates, or the machine's, can't be read.
    pub fn new(authorities: Option<&[u8]>, private: bool) -> Result<Self, OutboundError> {
        Self::with(private, authorities, WITHIN)
    }

    /// The same with the authorities of a file (PEM) that this setting names.
    ///
    /// # Errors
    /// When they can't be read or used; the sentence names the setting.
    pub fn believing(setting: &str, authorities: Option<&Path>, private: bool) -> Result<Self, String> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| format!("--{setting} {} can't be read: {error}", path.display()))
        };
        let authorities = authorities.map(read).transpose()?;
        Self::new(authorities.as_deref(), private)
            .map_err(|error| format!("nobody can be called, look at --{setting}: {error}"))
    }

    fn with(private: bool, authorities: Option<&[u8]>, within: Duration) -> Result<Self, OutboundError> {
        let unusable = |error: reqwest::Error| OutboundError::Authorities(in_words(&error));
        let mut builder = Client::builder()
            .dns_resolver(Arc::new(Lookup { private }))
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECTED_WITHIN)
            .timeout(within)
            .user_agent(concat!("kubernaut-console/", env!("CARGO_PKG_VERSION")));
        let authorities = authorities.map(Certificate::from_pem_bundle).transpose().map_err(unusable)?;
        for authority in authorities.unwrap_or_default() {
            builder = builder.add_root_certificate(authority);
        }
        Ok(Self { client: builder.build().map_err(unusable)?, private })
    }

    /// One call.
    ///
    /// # Errors
    /// When it may not be made, or nothing came of it. Any status but that of a redirect is an answer.
    pub async fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, OutboundError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let answer = self.answer(request).await?;
        if answer.status().is_redirection() {
            return Err(OutboundError::Redirect { host, status: answer.status().as_u16() });
        }
        Ok(answer)
    }

    /// The same for whoever judges by themselves where another address leads: any status is an answer.
    ///
    /// # Errors
    /// When it may not be made, or nothing came of it.
    pub async fn answer(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, OutboundError> {
        let request = Request::try_from(request).map_err(|_| OutboundError::NoAddress)?;
        let host = self.judge(request.url())?;
        let mut answer = self.client.execute(request).await.map_err(|error| failed(&host, &error))?;
        let mut body = Vec::new();
        while let Some(bytes) = answer.chunk().await.map_err(|error| failed(&host, &error))? {
            if body.len() + bytes.len() > MAX_ANSWER {
                return Err(OutboundError::TooLong(host));
            }
            body.extend_from_slice(&bytes);
        }
        let mut whole = http::Response::new(body);
        *whole.status_mut() = answer.status();
        *whole.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(whole)
    }

    /// One call whose answer is read as it comes. It may take `within` from its beginning to its end.
    ///
    /// # Errors
    /// When it may not be made, or nothing came of it. Any status but that of a redirect is an answer.
    pub async fn stream(&self, request: http::Request<Vec<u8>>, within: Duration) -> Result<Streamed, OutboundError> {
        let mut request = Request::try_from(request).map_err(|_| OutboundError::NoAddress)?;
        let host = self.judge(request.url())?;
        *request.timeout_mut() = Some(within);
        let answer = self.client.execute(request).await.map_err(|error| failed(&host, &error))?;
        if answer.status().is_redirection() {
            return Err(OutboundError::Redirect { host, status: answer.status().as_u16() });
        }
        Ok(Streamed { host, answer })
    }

    /// The host that is called. What a name leads to is judged by [`Lookup`].
    fn judge(&self, url: &Url) -> Result<String, OutboundError> {
        let host = url.host_str().ok_or(OutboundError::NoAddress)?.to_ascii_lowercase();
        let number = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        let loopback = host == "localhost" || number.is_some_and(|address| address.is_loopback());
        let unread = url.scheme() == "https" || (url.scheme() == "http" && loopback);
        if !unread || !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::NotHttps);
        }
        // An address in numbers is never looked up.
        if !self.private && number.is_some_and(|address| !is_public(address)) {
            return Err(OutboundError::Inside(host));
        }
        Ok(host)
    }
}

/// An answer that is read as it comes.
pub struct Streamed {
    host: String,
    answer: reqwest::Response,
}

impl Streamed {
    /// Its status.
    pub fn status(&self) -> http::StatusCode {
        self.answer.status()
    }

    /// Its headers.
    pub fn headers(&self) -> &http::HeaderMap {
        self.answer.headers()
    }

    /// What came next; none at the end. How much is taken in all is for the caller to bound.
    ///
    /// # Errors
    /// When it broke off, or was not at its end in time.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, OutboundError> {
        let bytes = self.answer.chunk().await.map_err(|error| failed(&self.host, &error))?;
        Ok(bytes.map(|bytes| bytes.to_vec()))
    }
}

/// What happened, from the innermost cause, without the address.
fn failed(host: &str, error: &reqwest::Error) -> OutboundError {
    let mut cause: &(dyn Error + 'static) = error;
    while let Some(next) = cause.source() {
        cause = next;
        if cause.is::<LeadsInside>() {
            return OutboundError::Inside(host.to_owned());
        }
    }
    let detail = match error {
        error if error.is_timeout() => "no answer in time".to_owned(),
        // The outermost one names the address.
        error if error.source().is_none() => "the call failed".to_owned(),
        _ => cause.to_string(),
    };
    OutboundError::Failed { host: host.to_owned(), detail }
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

/// Looks names up, and hands out none of the addresses when one is not permitted: a name with two faces is none to trust.
struct Lookup {
    private: bool,
}

/// A name led to an address that is not permitted.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address inside")]
struct LeadsInside;

impl Resolve for Lookup {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !private && found.iter().any(|address| !is_public(address.ip())) {
                return Err(LeadsInside.into());
            }
            let all: Addrs = Box::new(found.into_iter());
            Ok::<_, Box<dyn Error + Send + Sync>>(all)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    /// A server on this machine that answers each connection so, and where it is.
    async fn server(answer: Vec<u8>) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    let _ = socket.read(&mut [0; 4096]).await;
                    let _ = socket.write_all(&answer).await;
                    // Kept open: whoever waits for more waits.
                    let _ = socket.read(&mut [0; 1]).await;
                });
            }
        });
        port
    }

    fn answer(status: &str, more: &str, length: usize) -> Vec<u8> {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{more}\r\n");
        [head.into_bytes(), vec![b'x'; length]].concat()
    }

    /// Calls to a server on this machine, for which one is not patient.
    fn on_this_machine() -> Outbound {
        Outbound::with(true, None, Duration::from_millis(500)).unwrap()
    }

    async fn get(by: &Outbound, address: &str) -> Result<http::Response<Vec<u8>>, OutboundError> {
        by.send(http::Request::get(address).body(Vec::new()).unwrap()).await
    }

    #[tokio::test]
    async fn only_https_is_called() {
        let outbound = Outbound::new(None, false).unwrap();
        for address in ["http://hooks.example/x", "https://a:b@hooks.example/", "ftp://hooks.example/"] {
            assert!(matches!(get(&outbound, address).await, Err(OutboundError::NotHttps)), "{address}");
        }
        for address in ["hooks.example", "/x"] {
            assert!(matches!(get(&outbound, address).await, Err(OutboundError::NoAddress)), "{address:?}");
        }
        // However the number is written, it is the same address.
        for address in ["https://127.0.0.1/", "https://0x7f.1/", "https://2130706433/"] {
            assert!(matches!(get(&outbound, address).await, Err(OutboundError::Inside(_))), "{address}");
        }
    }

    #[tokio::test]
    async fn the_inside_is_called_only_where_that_is_allowed_and_encrypted() {
        let outside = Outbound::new(None, false).unwrap();
        for address in ["https://127.0.0.1:1/", "https://[::1]:1/", "https://localhost:1/", "http://127.0.0.1:1/"] {
            assert!(matches!(get(&outside, address).await, Err(OutboundError::Inside(_))), "{address}");
        }
        assert!(matches!(get(&outside, "http://sso.example/").await, Err(OutboundError::NotHttps)));
        let inside = Outbound::new(None, true).unwrap();
        let plain = get(&inside, "http://10.0.0.1/").await;
        assert!(matches!(plain, Err(OutboundError::NotHttps)), "unencrypted on this machine alone: {plain:?}");
        let port = server(answer("200 OK", "x-said: so\r\n", 1)).await;
        let reached = get(&inside, &format!("http://127.0.0.1:{port}/")).await.unwrap();
        assert_eq!(
            (reached.status().as_u16(), &reached.headers()["x-said"]),
            (200, &http::HeaderValue::from_static("so"))
        );
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_called() {
        let port = server(answer("200 OK", "", 1)).await;
        let outbound = Outbound::new(None, false).unwrap();
        let refused = get(&outbound, &format!("http://localhost:{port}/secret")).await;
        assert!(matches!(refused, Err(OutboundError::Inside(_))), "{refused:?}");
        let reached = get(&on_this_machine(), &format!("http://localhost:{port}/")).await.unwrap();
        assert_eq!(
            (reached.status().as_u16(), reached.body().as_slice()),
            (200, &b"x"[..]),
            "it was there to be called"
        );
    }

    #[tokio::test]
    async fn redirects_are_not_followed() {
        let port = server(answer("302 Found", "location: http://localhost:1/inside\r\n", 0)).await;
        let away = get(&on_this_machine(), &format!("http://localhost:{port}/")).await;
        assert!(matches!(away, Err(OutboundError::Redirect { status: 302, .. })), "{away:?}");
    }

    #[tokio::test]
    async fn an_answer_has_its_length_and_its_time() {
        let outbound = on_this_machine();
        let port = server(answer("200 OK", "", MAX_ANSWER)).await;
        let whole = get(&outbound, &format!("http://localhost:{port}/")).await.unwrap();
        assert_eq!(whole.body().len(), MAX_ANSWER);
        let port = server(answer("200 OK", "", MAX_ANSWER + 1)).await;
        let long = get(&outbound, &format!("http://localhost:{port}/")).await;
        assert!(matches!(long, Err(OutboundError::TooLong(_))), "{long:?}");
        for silent in [Vec::new(), b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n".to_vec()] {
            let port = server(silent).await;
            let late =
                get(&outbound, &format!("http://localhost:{port}/a-secret-path?token=secret")).await.unwrap_err();
            assert!(matches!(late, OutboundError::Failed { .. }), "{late:?}");
            assert!(late.to_string().contains("in time") && !format!("{late:?} {late}").contains("secret"), "{late}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_said() {
        let bad = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(Outbound::new(Some(bad), false), Err(OutboundError::Authorities(_))));
    }
}
