//! How often passwords may be tried, and the browsers at which that is known to be somebody themselves. Counted where every replica
//! sees it: a stranger who is sent from one to the next gets no more tries.

use super::StoreError;
use async_trait::async_trait;

/// How much may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// At once, after a rest.
    pub at_once: u32,
    /// Then one in so many milliseconds.
    pub every_ms: i64,
}

/// Tries, and known browsers.
#[async_trait]
pub trait TryStore: Send + Sync {
    /// Counts a try of `who`, by the database's clock; when that is one too many it is not counted, and the answer is after how many
    /// milliseconds it may be one.
    async fn count_try(&self, who: &str, allowance: Allowance) -> Result<Option<i64>, StoreError>;
    /// Takes back a try that turned out to be somebody themselves.
    async fn return_try(&self, who: &str, allowance: Allowance) -> Result<(), StoreError>;
    /// Whether the account of this name has signed in by the browser of this hash, not too long ago.
    async fn knows_device(&self, secret_hash: &str, name: &str) -> Result<bool, StoreError>;
    /// Notes that somebody has signed in by this browser. Of each person only the newest are kept.
    async fn note_device(&self, secret_hash: &str, user_id: &str) -> Result<(), StoreError>;
}

/// How long a browser is known after the last sign-in there, milliseconds.
pub const DEVICE_MS: i64 = 90 * 24 * 60 * 60 * 1000;
