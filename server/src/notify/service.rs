//! Notifications behind their rights.

use super::Notifications;
use crate::{config::Receiver, services::store_fault};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    identity::{Caller, Right},
    notification::Occasion,
    paging::{Page, PageOf},
    ports::{Moved, NotificationFilter, NotificationRecord, Standing},
    services::{Answer, NotificationService, ReceiverView, ServiceError},
};

/// What the trail calls them.
const KIND: &str = "notification";

#[async_trait]
impl NotificationService for Notifications {
    async fn receivers(&self, caller: &Caller) -> Answer<Vec<ReceiverView>> {
        caller.require(Right::NotificationsRead)?;
        let standings = self.store.standings(&self.names()).await.map_err(store_fault)?;
        // After those of the settings come others, which they no longer name.
        let views = standings.into_iter().enumerate().map(|(n, standing)| view(self.receivers.get(n), standing));
        Ok(views.collect())
    }

    async fn notifications(
        &self,
        caller: &Caller,
        filter: &NotificationFilter,
        page: &Page,
    ) -> Answer<PageOf<NotificationRecord>> {
        caller.require(Right::NotificationsRead)?;
        self.store.notifications(filter, page).await.map_err(store_fault)
    }

    async fn notification(&self, caller: &Caller, id: &str) -> Answer<NotificationRecord> {
        caller.require(Right::NotificationsRead)?;
        let found = self.store.notification(id).await.map_err(store_fault)?;
        found.ok_or(ServiceError::NotFound("notification"))
    }

    async fn redeliver(&self, caller: &Caller, id: &str) -> Answer<NotificationRecord> {
        caller.require(Right::NotificationsWrite)?;
        let audit = AuditEntry::by(caller, "notification.redeliver", KIND, id);
        moved(
            self.store.redeliver(id, audit).await.map_err(store_fault)?,
            "only what is dead or discarded is delivered again",
        )
    }

    async fn discard(&self, caller: &Caller, id: &str) -> Answer<NotificationRecord> {
        caller.require(Right::NotificationsWrite)?;
        let audit = AuditEntry::by(caller, "notification.discard", KIND, id);
        moved(self.store.discard(id, audit).await.map_err(store_fault)?, "only what waits or is dead is discarded")
    }

    async fn test(&self, caller: &Caller, receiver: &str) -> Answer<NotificationRecord> {
        caller.require(Right::NotificationsWrite)?;
        let known = self.receivers.iter().any(|known| known.subscription.receiver == receiver);
        if !known {
            return Err(ServiceError::NotFound("receiver"));
        }
        let event_id = format!("{}_{}", Occasion::Test.name(), self.ids.fresh());
        let audit = AuditEntry::by(caller, "notification.test", KIND, "");
        self.store.put_test(receiver, &event_id, audit).await.map_err(store_fault)
    }
}

/// `receiver` is none where the settings do not name it.
fn view(receiver: Option<&Receiver>, standing: Standing) -> ReceiverView {
    let wanted = receiver.map(|receiver| &receiver.subscription);
    ReceiverView {
        name: standing.receiver,
        host: receiver.map(|receiver| receiver.host.clone()),
        events: wanted.map(|wanted| wanted.occasions.clone()).unwrap_or_default(),
        severities: wanted.map(|wanted| wanted.severities.clone()).unwrap_or_default(),
        environments: wanted.map(|wanted| wanted.environments.clone()).unwrap_or_default(),
        waiting: standing.waiting,
        dead: standing.dead,
        delivered_at: standing.delivered_at,
    }
}

fn moved(moved: Moved, rule: &str) -> Answer<NotificationRecord> {
    match moved {
        Moved::Done(record) => Ok(*record),
        Moved::NotFrom(state) => Err(ServiceError::Conflict {
            code: "not_from_this_state",
            detail: format!("this notification is {}: {rule}", state.name()),
            differences: Vec::new(),
        }),
        Moved::Missing => Err(ServiceError::NotFound("notification")),
    }
}
