//! Notifications, as pages and programs may ask for them.

use super::Answer;
use crate::{
    identity::Caller,
    notification::Occasion,
    paging::{Page, PageOf},
    ports::{NotificationFilter, NotificationRecord},
    recommendation::Severity,
    time::Timestamp,
};
use async_trait::async_trait;
use serde::Serialize;

/// A receiver and how things stand with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiverView {
    /// Its name.
    pub name: String,
    /// The host that is called; the whole address may hold a secret. None where the settings no longer know the receiver.
    pub host: Option<String>,
    /// What it is told of.
    pub events: Vec<Occasion>,
    /// Of which severities; of all when there is none.
    pub severities: Vec<Severity>,
    /// Of which environments; of all when there is none.
    pub environments: Vec<String>,
    /// How many wait for it.
    pub waiting: u32,
    /// How many it did not take, and nobody has looked at.
    pub dead: u32,
    /// When it last took one.
    pub delivered_at: Option<Timestamp>,
}

/// Notifications.
#[async_trait]
pub trait NotificationService: Send + Sync {
    /// The receivers of the settings, and those that something is left of; needs `notifications:read`.
    async fn receivers(&self, caller: &Caller) -> Answer<Vec<ReceiverView>>;
    /// A page, newest first; needs `notifications:read`.
    async fn notifications(
        &self,
        caller: &Caller,
        filter: &NotificationFilter,
        page: &Page,
    ) -> Answer<PageOf<NotificationRecord>>;
    /// One; needs `notifications:read`.
    async fn notification(&self, caller: &Caller, id: &str) -> Answer<NotificationRecord>;
    /// Delivers a dead or discarded one again; needs `notifications:write`.
    async fn redeliver(&self, caller: &Caller, id: &str) -> Answer<NotificationRecord>;
    /// Discards a waiting or dead one; needs `notifications:write`.
    async fn discard(&self, caller: &Caller, id: &str) -> Answer<NotificationRecord>;
    /// Sends a test to a receiver; needs `notifications:write`.
    async fn test(&self, caller: &Caller, receiver: &str) -> Answer<NotificationRecord>;
}
