//! What is known of the provider: its endpoints and its keys. Asked for when the console starts, again now and then, and when a
//! key is named that is not known. A provider that can't be reached keeps nobody from starting.

use super::wire::Metadata;
use crate::outbound::{Outbound, in_words};
use openidconnect::{EndSessionUrl, IssuerUrl};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How often a provider that answers is asked again.
const ANEW: Duration = Duration::from_mins(15);
/// How often one that does not.
const AGAIN: Duration = Duration::from_secs(5);
/// How often unknown keys may make it be asked: strangers may name any.
const KEYS_EVERY: Duration = Duration::from_secs(10);

/// The provider.
pub struct Provider {
    issuer: IssuerUrl,
    http: Outbound,
    seen: watch::Sender<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The last that it said. It holds until it says something else.
    metadata: Option<Arc<Metadata>>,
    /// Why it did not answer when it was asked last.
    fault: Option<String>,
    /// When it was last asked because of an unknown key.
    for_a_key: Option<Instant>,
}

impl Provider {
    /// Nothing is known of it yet.
    pub fn new(issuer: IssuerUrl, http: Outbound) -> Self {
        Self { issuer, http, seen: watch::Sender::new(Seen::default()) }
    }

    /// How it is called.
    pub fn http(&self) -> &Outbound {
        &self.http
    }

    /// Whether it answered when it was last asked, or has not been asked yet.
    pub fn reachable(&self) -> bool {
        self.seen.borrow().fault.is_none()
    }

    /// What is known.
    pub fn known(&self) -> Option<Arc<Metadata>> {
        self.seen.borrow().metadata.clone()
    }

    /// What is known; where that is nothing, it is asked.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, String> {
        match self.known() {
            Some(metadata) => Ok(metadata),
            None => self.ask().await,
        }
    }

    /// What it says now, because of a key that is not known; none where it was asked for that a moment ago.
    pub async fn with_newer_keys(&self) -> Option<Arc<Metadata>> {
        let due = self.seen.send_if_modified(|seen| {
            let due = seen.for_a_key.is_none_or(|at| at.elapsed() >= KEYS_EVERY);
            if due {
                seen.for_a_key = Some(Instant::now());
            }
            due
        });
        if due { self.ask().await.ok() } else { None }
    }

    /// Asks it now and then, for ever.
    pub async fn keep(&self) {
        loop {
            let pause = if self.ask().await.is_ok() { ANEW } else { AGAIN };
            tokio::time::sleep(pause).await;
        }
    }

    async fn ask(&self) -> Result<Arc<Metadata>, String> {
        let asked = Metadata::discover_async(self.issuer.clone(), &self.http).await;
        let asked = asked.map_err(|error| in_words(&error)).and_then(|metadata| self.usable(metadata));
        match asked {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                self.seen.send_modify(|seen| {
                    if seen.fault.take().is_some() || seen.metadata.is_none() {
                        tracing::info!(issuer = self.issuer.as_str(), "the provider for sign-in answers");
                    }
                    seen.metadata = Some(metadata.clone());
                });
                Ok(metadata)
            }
            Err(fault) => {
                tracing::warn!(issuer = self.issuer.as_str(), fault, "the provider for sign-in can't be used");
                self.seen.send_modify(|seen| seen.fault = Some(fault.clone()));
                Err(fault)
            }
        }
    }

    /// Refuses endpoints at which what is sent could be read on the way.
    fn usable(&self, metadata: Metadata) -> Result<Metadata, String> {
        let tokens = metadata.token_endpoint().ok_or("it names no token endpoint")?;
        let end = metadata.additional_metadata().end_session_endpoint.as_ref();
        let plain = self.issuer.url().scheme() == "http";
        let all = [
            Some(metadata.authorization_endpoint().url()),
            Some(tokens.url()),
            Some(metadata.jwks_uri().url()),
            end.map(EndSessionUrl::url),
        ];
        let safe = |url: &&openidconnect::url::Url| url.scheme() == "https" || (plain && url.scheme() == "http");
        let open =
            all.into_iter().flatten().find(|url| !safe(url)).map(|url| format!("its endpoint {url} is not https"));
        open.map_or(Ok(metadata), Err)
    }
}
