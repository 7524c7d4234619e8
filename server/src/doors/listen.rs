//! Connections, each on a task of its own: HTTP/1.1, as proxies and browsers speak it to a plain port. Whoever does not say what
//! they want is let go of, nobody has more than their share, and when the house stops, what is being answered is answered first.

use super::rate::network;
use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// How long a connection may wait for the head of its next request; longer than proxies keep quiet connections.
const HEAD_WITHIN: Duration = Duration::from_secs(75);
/// The most headers of a request.
const MAX_HEADERS: usize = 100;
/// The longest head of a request, its address included, bytes.
const MAX_HEAD: usize = 64 << 10;
/// After a connection that could not be accepted: what there is too little of, mostly files, comes back.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves until `stop`, and then until the last connection has been answered. One address has at most `share` connections: whatever is
/// above is closed without a word.
pub async fn serve(listener: TcpListener, router: Router, share: u32, stop: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_headers(MAX_HEADERS).max_header_size(MAX_HEAD);
    let open = GracefulShutdown::new();
    let shares = Shares::default();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection can't be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Some(place) = shares.take(network(peer.ip()), share) else {
            metrics::counter!("kubernaut_connections_refused_total").increment(1);
            continue;
        };
        // An event goes out when it happens, not when the one before has been acknowledged.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = service_fn(move |mut request: http::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request)
        });
        let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
        // One that breaks off is the other side's affair.
        tokio::spawn(async move {
            drop(connection.await);
            drop(place);
        });
    }
    open.shutdown().await;
}

/// How many connections each address has open.
#[derive(Clone, Default)]
struct Shares(Arc<Mutex<HashMap<IpAddr, u32>>>);

/// A connection's place among those of its address; free again when it is dropped.
struct Place {
    shares: Shares,
    address: IpAddr,
}

impl Shares {
    /// A place, unless the address has `most` already.
    fn take(&self, address: IpAddr, most: u32) -> Option<Place> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = all.entry(address).or_default();
        if *open >= most {
            return None;
        }
        *open += 1;
        Some(Place { shares: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.shares.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = all.get_mut(&self.address) {
            *open -= 1;
            if *open == 0 {
                all.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_each_address_and_comes_back() {
        let (shares, one, other) = (Shares::default(), "10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let (first, second) = (shares.take(one, 2).unwrap(), shares.take(one, 2).unwrap());
        assert!(shares.take(one, 2).is_none());
        assert!(shares.take(other, 2).is_some(), "another address has its own");
        drop(first);
        let third = shares.take(one, 2).unwrap();
        assert!(shares.take(one, 2).is_none());
        drop((second, third));
        assert!(shares.0.lock().unwrap().is_empty(), "who is gone is forgotten");
    }
}
