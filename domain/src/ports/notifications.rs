//! Notifications that were written in the transaction of what they tell of, and wait until their receiver has them.

use super::StoreError;
use crate::{
    audit::AuditEntry,
    notification::{Event, Notice, Occasion, pace::Settled},
    paging::{Page, PageOf},
    time::Timestamp,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// How long a notification that is being delivered is nobody else's, milliseconds: longer than a try takes. Whose console ends within it
/// is taken up again after it.
pub const CLAIM_MS: i64 = 30_000;

/// Where a notification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotificationState {
    /// It is delivered when it is its turn.
    Waiting,
    /// The receiver has it.
    Delivered,
    /// It was tried as often as it is; somebody has to look.
    Dead,
    /// Somebody said that it need not be delivered.
    Discarded,
}

impl NotificationState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Delivered, Self::Dead, Self::Discarded];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Discarded => "discarded",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A notification for one receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotificationRecord {
    /// Its id: the event's and the receiver's name.
    pub id: String,
    /// The id of its event, the same for all receivers.
    pub event_id: String,
    /// The receiver's name.
    pub receiver: String,
    /// What it tells of.
    pub occasion: Occasion,
    /// What is told.
    pub notice: Notice,
    /// Where it stands.
    pub state: NotificationState,
    /// How often it was tried since it last began to wait.
    pub attempts: u32,
    /// When what it tells of was.
    pub created_at: Timestamp,
    /// When it is tried next; none where it is not.
    pub due_at: Option<Timestamp>,
    /// When the last try ended.
    pub tried_at: Option<Timestamp>,
    /// Why the last try came to nothing; none where it did not.
    pub reason: Option<String>,
}

impl NotificationRecord {
    /// The event that is sent.
    pub fn event(&self) -> Event {
        Event { id: self.event_id.clone(), occasion: self.occasion, at: self.created_at, notice: self.notice.clone() }
    }
}

/// Which notifications.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotificationFilter {
    /// In one of these states; in any when there is none.
    pub states: Vec<NotificationState>,
    /// For this receiver.
    pub receiver: Option<String>,
}

/// How things stand with a receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The receiver's name.
    pub receiver: String,
    /// How many wait for it.
    pub waiting: u32,
    /// How many it did not take, and nobody has looked at.
    pub dead: u32,
    /// When it last took one.
    pub delivered_at: Option<Timestamp>,
}

/// What came of moving a notification by hand.
#[derive(Clone, Debug, PartialEq)]
pub enum Moved {
    /// Done; this is it now.
    Done(Box<NotificationRecord>),
    /// It stands where that can't be done.
    NotFrom(NotificationState),
    /// There is no such notification.
    Missing,
}

/// Notifications.
#[async_trait]
pub trait NotificationStore: Send + Sync {
    /// Takes the one that is longest due for this receiver, for [`CLAIM_MS`] by the database's clock, and counts the try. Nobody else gets it
    /// in that time; `claim` is whose it is.
    async fn claim(&self, receiver: &str, claim: &str) -> Result<Option<NotificationRecord>, StoreError>;
    /// Writes down what came of the try; `false` when it is not this claim's any more: then nothing is changed.
    async fn settle(&self, id: &str, claim: &str, settled: Settled) -> Result<bool, StoreError>;
    /// A page, newest first.
    async fn notifications(
        &self,
        filter: &NotificationFilter,
        page: &Page,
    ) -> Result<PageOf<NotificationRecord>, StoreError>;
    /// One.
    async fn notification(&self, id: &str) -> Result<Option<NotificationRecord>, StoreError>;
    /// How things stand with each of these receivers, in their order, and then with others that something is left for, by name.
    async fn standings(&self, receivers: &[&str]) -> Result<Vec<Standing>, StoreError>;
    /// Puts a test among what waits for a receiver, with its audit row.
    async fn put_test(
        &self,
        receiver: &str,
        event_id: &str,
        audit: AuditEntry,
    ) -> Result<NotificationRecord, StoreError>;
    /// Lets a dead or discarded one wait again, as if it had never been tried, with its audit row.
    async fn redeliver(&self, id: &str, audit: AuditEntry) -> Result<Moved, StoreError>;
    /// Discards a waiting or dead one, with its audit row. What is being sent at this moment may arrive.
    async fn discard(&self, id: &str, audit: AuditEntry) -> Result<Moved, StoreError>;
    /// Writes the notifications of open recommendations that expire within `lead_ms`, or half of their time where that is shorter: once for
    /// each recommendation, whoever asks and however often. How many recommendations there were.
    async fn note_expiring(&self, lead_ms: i64) -> Result<u32, StoreError>;
}
