//! Limits on how often one caller may knock: programs by identity, sign-in by name and address.

use super::{gate::Gate, problem::Problem};
use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::identity::Caller;
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use std::{
    hash::{BuildHasher as _, Hash, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    sync::Arc,
};

/// Requests a second of one identity, sustained and at once.
const PER_SECOND: u32 = 500;
/// Sign-ins a minute for one name from one address.
const SIGN_INS_PER_NAME: u32 = 10;
/// Sign-ins a minute from one address, whatever the names: each costs the work of a password.
const SIGN_INS_PER_ADDRESS: u32 = 60;
/// Requests a second from one address of who does not say who they are, sustained and at once: pages of sign-in, and wrong tokens.
const STRANGERS_PER_SECOND: u32 = 200;
/// So many strangers are told apart; others share. What strangers send must not decide how much is remembered.
const STRANGERS: u64 = 1 << 16;

/// The limiters; cheap to clone.
#[derive(Clone)]
pub struct Limits {
    callers: Arc<DefaultKeyedRateLimiter<String>>,
    names: Arc<DefaultKeyedRateLimiter<u64>>,
    addresses: Arc<DefaultKeyedRateLimiter<u64>>,
    strangers: Arc<DefaultKeyedRateLimiter<u64>>,
    /// Nobody outside can choose with whom they share.
    folding: RandomState,
}

impl Limits {
    /// Fresh limiters.
    pub fn new() -> Self {
        let per = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self {
            callers: Arc::new(RateLimiter::keyed(Quota::per_second(per(PER_SECOND)))),
            names: Arc::new(RateLimiter::keyed(Quota::per_minute(per(SIGN_INS_PER_NAME)))),
            addresses: Arc::new(RateLimiter::keyed(Quota::per_minute(per(SIGN_INS_PER_ADDRESS)))),
            strangers: Arc::new(RateLimiter::keyed(Quota::per_second(per(STRANGERS_PER_SECOND)))),
            folding: RandomState::new(),
        }
    }

    /// Seconds to wait before this name may try again from this address; none when it may now.
    pub fn sign_in(&self, name: &str, address: Option<IpAddr>) -> Option<u32> {
        let network = address.map(network);
        wait(&self.addresses, &self.folded(&network))
            .or_else(|| wait(&self.names, &self.folded(&(network, name.to_lowercase()))))
    }

    /// Seconds to wait before somebody from this address may sign in at the provider; none when they may now. They share what
    /// sign-ins with a password have.
    pub fn sign_in_there(&self, address: Option<IpAddr>) -> Option<u32> {
        wait(&self.addresses, &self.folded(&address.map(network)))
    }

    /// Seconds to wait before this address is answered again without saying who it is; none when it is answered now.
    pub fn stranger(&self, address: Option<IpAddr>) -> Option<u32> {
        wait(&self.strangers, &self.folded(&address.map(network)))
    }

    fn folded(&self, what: &impl Hash) -> u64 {
        self.folding.hash_one(what) % STRANGERS
    }

    fn caller(&self, id: &str) -> Option<u32> {
        wait(&self.callers, &id.to_owned())
    }

    /// Forgets whoever has been quiet, so that the tables do not grow.
    pub fn sweep(&self) {
        self.callers.retain_recent();
        self.names.retain_recent();
        self.addresses.retain_recent();
        self.strangers.retain_recent();
    }
}

/// The part of an address that one stranger can't change at will: of version 6 they have 2⁶⁴ each.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn wait<K: Hash + Eq + Clone>(limiter: &DefaultKeyedRateLimiter<K>, key: &K) -> Option<u32> {
    let until = limiter.check_key(key).err()?;
    let wait = until.wait_time_from(DefaultClock::default().now());
    Some(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1))
}

/// Refuses an identity that knocks too often.
pub async fn limit(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let id = request.extensions().get::<Caller>().map(|c| c.actor.id.as_str().to_owned());
    if let Some(seconds) = id.and_then(|id| gate.limits.caller(&id)) {
        return too_often(seconds).into_response();
    }
    next.run(request).await
}

/// The answer to knocking too often.
pub fn too_often(seconds: u32) -> Problem {
    let detail = format!("too many requests; try again in {seconds} s");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail).retry_after(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_other_names_nor_other_addresses_of_the_same_network_buy_more_tries() {
        let address = |text: &str| Some(text.parse().unwrap());
        let limits = Limits::new();
        let same_name = (0..20).filter(|_| limits.sign_in("admin", address("10.0.0.1")).is_none()).count();
        assert_eq!(same_name, 10);
        let limits = Limits::new();
        let other_names = (0..200).filter(|n| limits.sign_in(&n.to_string(), address("10.0.0.1")).is_none()).count();
        assert!((55..=60).contains(&other_names), "{other_names}");
        let many = (0..200).filter(|n| limits.sign_in(&n.to_string(), address(&format!("2001:db8::{n}"))).is_none());
        assert!((55..=60).contains(&many.count()), "one network of version 6 is one stranger");
        let limits = Limits::new();
        let strangers = (0..1000).filter(|_| limits.stranger(address("10.0.0.1")).is_none()).count();
        assert!((200..400).contains(&strangers), "{strangers}");
        assert_eq!(limits.stranger(address("10.0.0.2")), None, "another address");
        assert_eq!(network("::ffff:10.0.0.1".parse().unwrap()), "10.0.0.1".parse::<IpAddr>().unwrap());
    }
}
