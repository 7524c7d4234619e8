//! Audit, live events, effectiveness, and answers kept for repeated requests.

use super::StoreError;
use crate::{
    audit::{AuditEntry, AuditFilter, AuditRecord, Chained, Head, Hold, Key, Keys, Known, Mac, Verdict},
    effectiveness::{Counts, EffectivenessFilter, GroupBy},
    event::LiveEvent,
    paging::{Page, PageOf},
};
use async_trait::async_trait;
use std::{fmt::Debug, sync::Arc};

/// Why the keys of the audit trail can't be used. The message says what to do and holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AuditKeysError(pub String);

/// The keys of the audit trail, which are kept outside of the database.
pub trait AuditKeys: Debug + Send + Sync {
    /// All there are; `anew`, because another console may have added one since.
    fn keys(&self, anew: bool) -> Result<Arc<Keys>, AuditKeysError>;
    /// The key that a trail begins with: the newest, or one that is made where there is none.
    fn first(&self) -> Result<Key, AuditKeysError>;
}

/// Keys that never change.
impl AuditKeys for Keys {
    fn keys(&self, _: bool) -> Result<Arc<Keys>, AuditKeysError> {
        Ok(Arc::new(self.clone()))
    }

    fn first(&self) -> Result<Key, AuditKeysError> {
        self.newest().cloned().ok_or_else(|| AuditKeysError("there is no key to begin the audit trail with".into()))
    }
}

/// The audit trail.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Writes an entry that belongs to no other write, such as a refused sign-in.
    async fn append(&self, entry: AuditEntry) -> Result<(), StoreError>;
    /// A page, newest first.
    async fn list(&self, filter: &AuditFilter, page: &Page) -> Result<PageOf<AuditRecord>, StoreError>;
    /// Up to `limit` rows after a sequence number that the filter matches, oldest first: for exports.
    async fn after(&self, filter: &AuditFilter, sequence: i64, limit: u32) -> Result<Vec<AuditRecord>, StoreError>;
    /// The same rows, as far as they are kept, with what each follows on.
    async fn chained(&self, filter: &AuditFilter, sequence: i64, limit: u32) -> Result<Vec<Chained>, StoreError>;
    /// Where the trail ends, and the seal of that.
    async fn head(&self) -> Result<(Head, Option<Mac>), StoreError>;
    /// Looks at every row; with `noted` also whether the trail has the row of that number and mac.
    async fn verify(&self, noted: Option<(i64, Mac)>) -> Result<Verdict, StoreError>;
    /// Looks at the rows after those that are known to be unbroken, and at the end.
    async fn verify_after(&self, known: &Known) -> Result<Verdict, StoreError>;
    /// The legal hold, where one stands.
    async fn hold(&self) -> Result<Option<Hold>, StoreError>;
    /// Sets a hold for the entry's reason; false, and nothing is written, where one stands.
    async fn set_hold(&self, audit: AuditEntry) -> Result<bool, StoreError>;
    /// Releases the hold; false, and nothing is written, where none stands.
    async fn release_hold(&self, audit: AuditEntry) -> Result<bool, StoreError>;
}

/// Live events.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// The id of the newest event; 0 when there is none.
    async fn latest(&self) -> Result<i64, StoreError>;
    /// Up to `limit` events after `id`, in order.
    async fn since(&self, id: i64, limit: u32) -> Result<Vec<LiveEvent>, StoreError>;
    /// The id of the oldest event still kept; 0 when there is none.
    async fn oldest(&self) -> Result<i64, StoreError>;
    /// Waits until something may have been written after `id`: in this process, or in another replica (then late by at
    /// most a second).
    async fn changed(&self, id: i64);
}

/// What was counted, by group and in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grouped {
    /// Counts per group, by name.
    pub groups: Vec<(String, Counts)>,
    /// Counts of all that the filter asks for, also of what belongs to no group; none where nothing ended.
    pub all: Option<Counts>,
}

/// Runs of one version of a playbook that ended on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionDay {
    /// `id@version`.
    pub version: String,
    /// Days since 1970.
    pub day: i64,
    /// How many ended.
    pub runs: i64,
    /// Of them, ended well.
    pub succeeded: i64,
}

/// Rollups.
#[async_trait]
pub trait EffectivenessStore: Send + Sync {
    /// Counts of what the filter asks for.
    async fn counts(&self, by: GroupBy, filter: &EffectivenessFilter) -> Result<Grouped, StoreError>;
    /// Of each version of a playbook, named `id@version`, how many runs ended on each of the last so many UTC days (days since
    /// 1970), and how many of them well.
    async fn versions_by_day(&self, days: u32) -> Result<Vec<VersionDay>, StoreError>;
    /// Counts by UTC day (days since 1970), ascending; without phases. Days on which nothing ended are left out.
    async fn by_day(&self, filter: &EffectivenessFilter) -> Result<Vec<(i64, Counts)>, StoreError>;
}

/// What is remembered under an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remembered {
    /// The key is new; it is now held by this request.
    New,
    /// The same request is still being answered.
    InProgress,
    /// The same request was answered so.
    Answer {
        /// HTTP status.
        status: u16,
        /// Headers worth repeating: name and value.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// The same request was begun and ended without an answer: what it did is not known, and it must not be done again.
    Unknown,
    /// The key was used for another request.
    OtherRequest,
}

/// First answers, kept a day.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Looks up or takes the key of this actor for a request with this hash.
    async fn begin(&self, actor: &str, key: &str, request_hash: &str) -> Result<Remembered, StoreError>;
    /// Keeps the answer.
    async fn finish(
        &self,
        actor: &str,
        key: &str,
        status: u16,
        headers: &[(String, String)],
        body: &str,
    ) -> Result<(), StoreError>;
    /// Notes that the request ended and that nobody knows what it did: the key never acts again.
    async fn give_up(&self, actor: &str, key: &str) -> Result<(), StoreError>;
    /// Gives the key free again: nothing was done.
    async fn forget(&self, actor: &str, key: &str) -> Result<(), StoreError>;
}
