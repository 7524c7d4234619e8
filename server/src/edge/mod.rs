//! The edge: the only place that reads the clock and makes ids and secrets. Everything else is handed them.

use domain::{
    audit::Key,
    ports::{Clock, Ids},
    time::Timestamp,
};

/// The machine's clock. Deadlines do not hang on it: those are judged by the database's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the edge")]
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// UUIDv7: unique, and in the order in which they were made.
#[derive(Clone, Copy, Debug, Default)]
pub struct UuidIds;

impl Ids for UuidIds {
    fn fresh(&self) -> String {
        #[expect(clippy::disallowed_methods, reason = "this is the edge")]
        let id = uuid::Uuid::now_v7();
        id.to_string()
    }
}

/// `N` bytes that nobody can guess.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    use rand::RngCore as _;
    let mut bytes = [0; N];
    #[expect(clippy::disallowed_methods, reason = "this is the edge")]
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// A new key for the audit trail.
pub fn audit_key() -> Key {
    Key::new(random_bytes(), SystemClock.now())
}

/// The name of this process among the console's replicas: where it runs, which in a cluster is its pod's name, and what no other has.
pub fn replica() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "console" } else { host.trim() };
    let own = u32::from_be_bytes(random_bytes());
    format!("{host}_{own:08x}")
}
