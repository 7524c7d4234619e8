//! What an approval of high risk asks of a person at a browser, whatever the form or program was by which it came: that they typed
//! what it acts on, and proved not long ago who they are. A token is asked for neither: it has nobody at it, and its role says what
//! it may.

use super::{Services, tickets::Made};
use domain::{
    fault::Fault,
    identity::Caller,
    recommendation::{Recommendation, Risk},
    services::{Answer, ServiceError},
    target,
    time::human,
};

impl Services {
    /// Why this caller has to sign in again before they approve a high risk; none when they have not.
    pub fn too_long_ago(&self, caller: &Caller) -> Option<ServiceError> {
        let (session, within) = (caller.session.as_ref()?, self.world.settings.recent_sign_in_ms);
        (session.proved_ms_ago > within).then(|| {
            ServiceError::SignInAgain(format!(
                "this strategy's risk is high, and you signed in {} ago: sign in again to approve it; that holds for {}",
                human(session.proved_ms_ago),
                human(within),
            ))
        })
    }

    /// Refuses an approval that is not confirmed as its risk asks for.
    pub(super) fn confirmed(
        &self,
        caller: &Caller,
        recommendation: &Recommendation,
        risk: Risk,
        made: &Made,
        typed: Option<&str>,
    ) -> Answer<()> {
        if !risk.is_grave() || caller.session.is_none() {
            return Ok(());
        }
        let incident = &recommendation.content.incident;
        let acts_on = target::of_plan(incident.resource.as_ref(), &made.ticket.content().plan);
        let word = target::to_type(incident, &acts_on);
        if typed.map(str::trim) != Some(word.as_str()) {
            let message = format!("type {word} to approve: this strategy's risk is high");
            return Err(ServiceError::Invalid(vec![Fault::new("/confirm", "mismatch", message)]));
        }
        self.too_long_ago(caller).map_or(Ok(()), Err)
    }
}
