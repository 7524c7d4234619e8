//! What an approval of high risk, putting a policy in force, and changing accounts asks of a person at a browser, whatever the form or program was by which it came: that they typed
//! what it acts on, and proved not long ago who they are. A token is asked for neither: it has nobody at it, and its role says what
//! it may.

use super::{Services, tickets::Made};
use domain::{
    fault::Fault,
    identity::Caller,
    ids::RecommendationId,
    recommendation::Recommendation,
    services::{Answer, ApprovalService, ServiceError},
    target,
    time::human,
};

/// Why a person at a browser has to sign in again before a high-risk act, told in words; none where they proved within so many milliseconds
/// who they are, and for a token.
pub fn asks_again(caller: &Caller, within_ms: i64, why: &str, act: &str) -> Option<ServiceError> {
    let session = caller.session.as_ref()?;
    (session.authenticated_ms_ago > within_ms).then(|| {
        ServiceError::SignInAgain(format!(
            "{why}, and you signed in {} ago: sign in again to {act}; that holds for {}",
            human(session.authenticated_ms_ago),
            human(within_ms),
        ))
    })
}

impl Services {
    /// Refuses to approve several together, each by its strategy, to whoever has to sign in again for one of them: what was decided
    /// before that one could not be sent again.
    pub async fn confirmed_together(&self, caller: &Caller, chosen: &[(RecommendationId, u32)]) -> Answer<()> {
        let Some(too_long_ago) = self.too_long_ago(caller) else { return Ok(()) };
        for (id, strategy) in chosen {
            if self.needs_step_up(caller, id, *strategy).await? {
                return Err(too_long_ago);
            }
        }
        Ok(())
    }

    /// Why this caller has to sign in again before they approve a high risk; none when they have not.
    fn too_long_ago(&self, caller: &Caller) -> Option<ServiceError> {
        self.asks_again(caller, "this strategy's risk is high", "approve it")
    }

    /// The same before anything else of high risk, which is told in words.
    pub(super) fn asks_again(&self, caller: &Caller, why: &str, act: &str) -> Option<ServiceError> {
        asks_again(caller, self.world.settings.recent_sign_in_ms, why, act)
    }

    /// Whether the risk of a strategy is high, as it is judged now. One that there is not is none.
    async fn needs_step_up(&self, caller: &Caller, id: &RecommendationId, strategy: u32) -> Answer<bool> {
        let recommendation = match ApprovalService::get(self, caller, id).await {
            Ok((recommendation, _)) => recommendation,
            Err(ServiceError::NotFound(_)) => return Ok(false),
            Err(other) => return Err(other),
        };
        let Ok(chosen) = Self::strategy(&recommendation, strategy) else { return Ok(false) };
        Ok(self.ruling_without_ticket(&recommendation, chosen).await?.risk.needs_step_up())
    }

    /// Refuses an approval that is not confirmed as its risk asks for.
    pub(super) fn confirmed(
        &self,
        caller: &Caller,
        recommendation: &Recommendation,
        made: &Made,
        typed: Option<&str>,
    ) -> Answer<()> {
        let high = made.ruling.as_ref().is_none_or(|ruling| ruling.risk.needs_step_up());
        if !high || caller.session.is_none() {
            return Ok(());
        }
        let incident = &recommendation.content.incident;
        let scope = target::Scope::of_plan(incident.resource.as_ref(), &made.ticket.content().plan);
        let word = target::to_type(incident, &scope.objects);
        if typed.map(str::trim) != Some(word.as_str()) {
            let message = format!("type {word} to approve: this strategy's risk is high");
            return Err(ServiceError::Invalid(vec![Fault::new("/confirm", "mismatch", message)]));
        }
        self.too_long_ago(caller).map_or(Ok(()), Err)
    }
}
