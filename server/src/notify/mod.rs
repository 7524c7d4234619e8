//! Notifications: delivering them to the receivers of the settings (`deliver`), and what people see and do (`service`). Writing them is
//! the store's, in the transaction of what they tell of.

mod deliver;
mod service;

use crate::{
    config::{Config, NotifyConfig, Receiver, millis},
    edge::{SystemClock, UuidIds},
    outbound::Outbound,
};
use domain::ports::{Clock, Ids, NotificationStore};
use std::sync::Arc;

/// Notifications over their store. Cheap to clone.
#[derive(Clone)]
pub struct Notifications {
    receivers: Arc<[Receiver]>,
    store: Arc<dyn NotificationStore>,
    /// None where there is no receiver.
    outbound: Option<Outbound>,
    /// Where people reach the console, without a slash at the end.
    public_url: Arc<str>,
    lead_ms: i64,
    attempts: u32,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl Notifications {
    /// As the settings have it.
    ///
    /// # Errors
    /// When the certificates can't be used; the message says what to do.
    pub fn of(config: &Config, store: Arc<dyn NotificationStore>, public_url: Arc<str>) -> Result<Self, String> {
        let NotifyConfig { receivers, lead, attempts, ca_file, allow_private, .. } = &config.notify;
        let outbound = if receivers.is_empty() {
            None
        } else {
            Some(Outbound::believing("notify-ca-file", ca_file.as_deref(), *allow_private)?)
        };
        Ok(Self {
            receivers: receivers.as_slice().into(),
            store,
            outbound,
            public_url,
            lead_ms: millis(*lead),
            attempts: *attempts,
            clock: Arc::new(SystemClock),
            ids: Arc::new(UuidIds),
        })
    }

    /// The receivers' names, in the order of the settings.
    fn names(&self) -> Vec<&str> {
        self.receivers.iter().map(|receiver| receiver.subscription.receiver.as_str()).collect()
    }
}
