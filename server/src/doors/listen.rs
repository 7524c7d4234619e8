//! Connections, each on a task of its own: HTTP/1.1, as proxies and browsers speak it to a plain port. Whoever does not say what
//! they want is let go of, and when the house stops, what is being answered is answered first.

use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// How long a connection may wait for the head of its next request; longer than proxies keep quiet connections.
const HEAD_WITHIN: Duration = Duration::from_secs(75);
/// After a connection that could not be accepted: what there is too little of, mostly files, comes back.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves until `stop`, and then until the last connection has been answered.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    let open = GracefulShutdown::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection can't be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
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
        tokio::spawn(async move { drop(connection.await) });
    }
    open.shutdown().await;
}
