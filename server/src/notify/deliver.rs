//! Delivering: each receiver has a worker of its own, so that a slow or dead one keeps nobody else waiting. Every console delivers; that
//! no two deliver the same one at the same time is kept by the store's claims. At least once: a console that ends between a receiver's
//! answer and its writing down leaves it to be delivered again, with the same id.

use super::Notifications;
use crate::{
    config::Receiver,
    edge::random_bytes,
    outbound::{Outbound, OutboundError},
};
use axum::http::{self, HeaderMap, StatusCode, header};
use domain::{
    notification::{
        Event, MEDIA_TYPE,
        pace::{Outcome, Settled, settle},
        sign::{ID, SIGNATURE, TIMESTAMP, signatures},
    },
    ports::StoreError,
    time::Timestamp,
};
use futures::future::join_all;
use std::time::{Duration, UNIX_EPOCH};

/// How often a worker looks whether something is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The same when the store has failed.
const AFTER_A_FAULT: Duration = Duration::from_secs(5);
/// How often it is looked for what expires soon.
const EXPIRING_EVERY: Duration = Duration::from_secs(5);
/// How often what waits is counted.
const COUNT_EVERY: Duration = Duration::from_secs(15);

impl Notifications {
    /// Delivers as long as it is asked.
    pub async fn deliver(self) {
        let Some(outbound) = &self.outbound else { return };
        let workers = self.receivers.iter().map(|receiver| self.work(receiver, outbound));
        tokio::join!(join_all(workers), self.note_expiring(), self.count());
    }

    async fn work(&self, receiver: &Receiver, outbound: &Outbound) {
        loop {
            let pause = match self.deliver_next(receiver, outbound).await {
                Ok(true) => continue,
                Ok(false) => LOOK_EVERY,
                Err(error) => {
                    tracing::warn!(%error, receiver = receiver.subscription.receiver, "notifications can't be delivered");
                    AFTER_A_FAULT
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// `false` when nothing is due.
    async fn deliver_next(&self, receiver: &Receiver, outbound: &Outbound) -> Result<bool, StoreError> {
        let name = &receiver.subscription.receiver;
        let claim = self.ids.fresh();
        let Some(claimed) = self.store.claim(name, &claim).await? else { return Ok(false) };
        let outcome = self.send(receiver, outbound, &claimed.event()).await;
        let share = u16::from_be_bytes(random_bytes());
        let settled = settle(outcome, claimed.attempts, self.attempts, share);
        let (counter, id) = (told(name, &settled), claimed.id.as_str());
        if self.store.settle(id, &claim, settled).await? {
            metrics::counter!(counter, "receiver" => name.clone()).increment(1);
        } else {
            tracing::info!(id, "somebody else has settled this notification meanwhile");
        }
        Ok(true)
    }

    /// One try. It takes no longer than `outbound` lets it.
    async fn send(&self, receiver: &Receiver, outbound: &Outbound, event: &Event) -> Outcome {
        let now = self.clock.now();
        match self.request(receiver, event, now) {
            Ok(request) => outcome(outbound.send(request).await, now),
            Err(reason) => Outcome::Failed { reason, asks_ms: None },
        }
    }

    fn request(&self, receiver: &Receiver, event: &Event, now: Timestamp) -> Result<http::Request<Vec<u8>>, String> {
        let body = event.body(&self.public_url).map_err(|error| format!("it can't be written: {error}"))?;
        let seconds = now.as_millis().div_euclid(1000);
        let signed = signatures(&receiver.keys, &event.id, seconds, &body);
        let request = http::Request::post(receiver.url.0.as_str())
            .header(header::CONTENT_TYPE, MEDIA_TYPE)
            .header(ID, &event.id)
            .header(TIMESTAMP, seconds)
            .header(SIGNATURE, signed);
        // Its own words may repeat the address.
        request.body(body).map_err(|_| "its address or id can't be sent".to_owned())
    }

    async fn note_expiring(&self) {
        loop {
            if let Err(error) = self.store.note_expiring(self.lead_ms).await {
                tracing::warn!(%error, "what expires soon can't be told");
            }
            tokio::time::sleep(EXPIRING_EVERY).await;
        }
    }

    async fn count(&self) {
        loop {
            match self.store.standings(&self.names()).await {
                Ok(standings) => {
                    for one in standings {
                        let gauge = |name: &'static str, many: u32| {
                            metrics::gauge!(name, "receiver" => one.receiver.clone()).set(f64::from(many));
                        };
                        gauge("kubernaut_notifications_waiting", one.waiting);
                        gauge("kubernaut_notifications_dead", one.dead);
                    }
                }
                Err(error) => tracing::warn!(%error, "what waits to be delivered can't be counted"),
            }
            tokio::time::sleep(COUNT_EVERY).await;
        }
    }
}

/// Says what came of a try, to whom it concerns, and by which counter it is counted.
fn told(receiver: &str, settled: &Settled) -> &'static str {
    match settled {
        Settled::Delivered => "kubernaut_notifications_delivered_total",
        Settled::Again { reason, in_ms } => {
            tracing::info!(receiver, reason, in_ms, "a notification was not taken, and is tried again");
            "kubernaut_notifications_failed_total"
        }
        Settled::Dead { reason } => {
            tracing::warn!(receiver, reason, "a notification was not taken, and is not tried again by itself");
            "kubernaut_notifications_failed_total"
        }
    }
}

fn outcome(answer: Result<http::Response<Vec<u8>>, OutboundError>, now: Timestamp) -> Outcome {
    match answer {
        Ok(answer) if answer.status().is_success() => Outcome::Taken,
        Ok(answer) if answer.status() == StatusCode::GONE => Outcome::Gone,
        Ok(answer) => Outcome::Failed {
            reason: format!("it answered {}", answer.status().as_u16()),
            asks_ms: retry_after_ms(answer.headers(), now),
        },
        // Its words name the host at most.
        Err(error) => Outcome::Failed { reason: error.to_string(), asks_ms: None },
    }
}

/// What `Retry-After` says, in seconds or as a date (RFC 9110, section 10.2.3).
fn retry_after_ms(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(i64::from(seconds) * 1000);
    }
    let then = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(i64::try_from(then.as_millis()).ok()?.saturating_sub(now.as_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn retry_after_is_read_in_both_forms() {
        // 21 October 2015, 07:28:00 GMT
        let now = Timestamp::from_millis(1_445_412_480_000);
        let asked = |text: &'static str| {
            retry_after_ms(&HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static(text))]), now)
        };
        assert_eq!(asked("120"), Some(120_000));
        assert_eq!(asked("Wed, 21 Oct 2015 07:29:00 GMT"), Some(60_000));
        assert_eq!(asked("Wed, 21 Oct 2015 07:27:00 GMT"), Some(-60_000), "it has passed: no pause is asked for");
        for odd in ["soon", "-1", "1.5", ""] {
            assert_eq!(asked(odd), None, "{odd}");
        }
        assert_eq!(retry_after_ms(&HeaderMap::new(), now), None);
    }

    #[test]
    fn only_a_success_is_one() {
        let now = Timestamp::from_millis(0);
        let of = |status: u16| {
            let answer = http::Response::builder().status(status).body(Vec::new()).unwrap();
            outcome(Ok(answer), now)
        };
        assert_eq!((of(200), of(204), of(410)), (Outcome::Taken, Outcome::Taken, Outcome::Gone));
        for status in [400, 401, 404, 429, 500, 503] {
            assert!(matches!(of(status), Outcome::Failed { .. }), "{status}");
        }
    }
}
