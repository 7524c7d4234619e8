//! When it is ready, and when it ends.

use crate::{
    doors::Readiness,
    terminal::{Fault, print},
};
use std::{net::SocketAddr, time::Duration};
use tokio::signal::unix::{SignalKind, signal};

/// Says where it listens as soon as it is ready.
pub fn announce(address: SocketAddr, readiness: Readiness) {
    tokio::spawn(async move {
        let mut patience = 0;
        loop {
            let (ready, state) = readiness.check().await;
            if ready {
                print(&format!("listening on http://{address}"));
                return;
            }
            patience += 1;
            // Ten seconds in, whoever waits learns why.
            if patience % 1000 == 0 {
                tracing::warn!(reasons = %state["reasons"], "not ready yet");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
}

/// Waits for whoever ends it.
pub fn stop_signal() -> Result<impl Future<Output = ()>, Fault> {
    let listen = |kind| signal(kind).map_err(|e| Fault::failed(e.to_string()));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
