//! What the policy in force says about a ticket, and who somebody is to it. The rules are `domain::policy`'s; here they get what
//! they judge by.

use super::{Services, signing::signed_image, store_fault};
use domain::{
    decision::{Attempt, Decision, Refusal, Verb, Verdict, judge},
    identity::Caller,
    ids::{ActorId, Digest},
    playbook::{Registration, values::EnvSource},
    policy::{self, Facts, Measure, Quorum, Ruling, Voter},
    ports::{PlaybookRecord, PolicyRecord},
    recommendation::{Proposal, Recommendation, Strategy},
    services::Answer,
    signature::SignedImage,
    target::Scope,
    ticket::{Plan, TicketContent, images_of},
};
use std::collections::{HashMap, hash_map::Entry};

impl Services {
    /// The policy in force.
    pub(super) async fn in_force(&self) -> Answer<PolicyRecord> {
        self.world.policies.active().await.map_err(store_fault)
    }

    /// What it says about a strategy: by `plan` where exactly that would run, else by what was proposed.
    pub(super) async fn ruling(
        &self,
        record: &PolicyRecord,
        recommendation: &Recommendation,
        strategy: &Strategy,
        plan: Option<&Plan>,
        registration: Option<&Registration>,
        images: &[SignedImage],
    ) -> Answer<Ruling> {
        let measured = match registration {
            Some(registration) if record.policy.asks_for_measures() => self.version_record(registration).await?,
            _ => None,
        };
        let measured = measured.and_then(|row| Measure::of(row.runs, row.succeeded));
        let environment = self.world.settings.environment.as_deref();
        let facts = Facts::of(recommendation, strategy, plan, registration, measured, environment, images);
        Ok(policy::judge(&record.policy, record.version, &facts, self.world.conditions.as_ref()))
    }

    /// The same for what has no ticket: a line of a list, a strategy that can't run.
    pub(super) async fn proposed_ruling(
        &self,
        record: &PolicyRecord,
        recommendation: &Recommendation,
        strategy: &Strategy,
        risk_of: RiskOf,
        seen: &mut Registrations,
    ) -> Answer<Ruling> {
        let unknown_risk = risk_of == RiskOf::Registration && strategy.declared_risk.is_none();
        let signatures = record.policy.asks_for_signatures();
        let asks = unknown_risk || signatures || record.policy.asks_for_measures() || record.policy.has_conditions();
        let playbook = match &strategy.proposal {
            Proposal::Playbook { workflow_id, version, .. } if asks => {
                match seen.entry((workflow_id.clone(), version.clone())) {
                    Entry::Occupied(known) => known.into_mut().as_ref(),
                    Entry::Vacant(place) => {
                        let found = self.find_playbook(workflow_id, version.as_deref()).await?;
                        place.insert(found.ok()).as_ref()
                    }
                }
            }
            _ => None,
        };
        let images = match (&strategy.proposal, playbook) {
            (Proposal::Steps { steps }, _) if signatures => self.signed(&images_of(&steps.steps)).await?,
            (_, Some(playbook)) => vec![signed_image(playbook)],
            _ => Vec::new(),
        };
        let registration = playbook.map(|playbook| &playbook.registration);
        self.ruling(record, recommendation, strategy, None, registration, &images).await
    }

    /// What the policy says about what would run, written into the ticket's content.
    pub(super) async fn rule_on(
        &self,
        content: &mut TicketContent,
        recommendation: &Recommendation,
        strategy: &Strategy,
        registration: Option<&Registration>,
        images: &[SignedImage],
    ) -> Answer<Ruling> {
        let record = self.in_force().await?;
        let ruling = self.ruling(&record, recommendation, strategy, Some(&content.plan), registration, images).await?;
        content.policy = ruling.ticket_terms();
        if let Some(ms) = ruling.expires_ms {
            content.expires_at = recommendation.expires_at.min(recommendation.created_at.plus_ms(ms));
        }
        Ok(ruling)
    }

    /// An approval of this ticket by this caller, as it would be judged.
    pub(super) async fn approval(
        &self,
        caller: &Caller,
        recommendation: &Recommendation,
        digest: &Digest,
        content: &TicketContent,
        ruling: &Ruling,
    ) -> Answer<Attempt> {
        Ok(Attempt {
            actor: caller.actor.clone(),
            verb: Verb::Approve,
            revision: recommendation.revision,
            ticket_digest: Some(digest.clone()),
            ticket_expires_at: content.expires_at,
            terms: ruling.terms.clone(),
            stands_for: self.stands_for(caller, ruling).await?,
            last_editor: self.last_editor(recommendation, digest, content, ruling).await?,
            automatic: false,
        })
    }

    /// The groups that somebody stands for, where the rule asks for any.
    async fn stands_for(&self, caller: &Caller, ruling: &Ruling) -> Answer<Vec<String>> {
        let asked = &ruling.terms.quorum.of;
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let Some(record) = self.world.policies.policy(ruling.terms.version).await.map_err(store_fault)? else {
            return Ok(Vec::new());
        };
        let groups = record.policy.groups_of(&self.voter(caller).await?);
        Ok(groups.into_iter().filter(|group| asked.contains(group)).collect())
    }

    /// Who they are: a token is the person whose it is, with no more than its own roles. One that is nobody's is in groups by its
    /// roles alone: its name is no account's.
    async fn voter(&self, caller: &Caller) -> Answer<Voter> {
        let person = caller.actor.person().clone();
        let account = self.world.people.user(person.as_str()).await.map_err(store_fault)?;
        let name = account.map(|account| account.name).unwrap_or_default();
        Ok(Voter { person, name, roles: caller.roles.clone() })
    }

    /// Who set parameters in place of the model's, where the rule asks for that.
    async fn last_editor(
        &self,
        recommendation: &Recommendation,
        digest: &Digest,
        content: &TicketContent,
        ruling: &Ruling,
    ) -> Answer<Option<ActorId>> {
        let strategy = Self::strategy(recommendation, content.strategy)?;
        if ruling.terms.quorum.last_editor_counts || !edited(&strategy.proposal, &content.plan) {
            return Ok(None);
        }
        let stored = self.world.recommendations.ticket(digest).await.map_err(store_fault)?;
        Ok(stored.map(|stored| stored.made_by.person().clone()))
    }

    /// Why an approval would not count now; none where it would. The store judges again, by its own clock.
    pub(super) async fn would_refuse(
        &self,
        recommendation: &Recommendation,
        decisions: &[Decision],
        attempt: &Attempt,
        plan: &Plan,
    ) -> Answer<Option<String>> {
        match judge(self.world.clock.now(), recommendation, decisions, attempt) {
            Err(Refusal::AlreadyApproved { .. }) => {
                Ok(Some("You approved this ticket already; another person is needed.".into()))
            }
            Err(refusal) => Ok(Some(refusal.to_string())),
            Ok(Verdict::Approved { .. }) => {
                let incident = &recommendation.content.incident;
                let objects = Scope::of_plan(incident.resource.as_ref(), plan).spots();
                let (cluster, guard) = (&recommendation.cluster, attempt.terms.guard);
                let other = self.world.executions.in_the_way(cluster, &objects, guard).await;
                Ok(other.map_err(store_fault)?.map(|other| other.words()))
            }
            Ok(_) => Ok(None),
        }
    }
}

/// Where a strategy's risk is taken from that was stored without the one its playbook declares.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RiskOf {
    /// From the registration: where somebody decides.
    Registration,
    /// From what was stored: a list asks for no registration of each line.
    Stored,
}

/// Registrations that were looked up for a list, by playbook and version.
pub(super) type Registrations = HashMap<(String, Option<String>), Option<PlaybookRecord>>;

/// Whether an operator set anything in it, or left out anything that was proposed.
pub(super) fn edited(proposal: &Proposal, plan: &Plan) -> bool {
    let (Proposal::Playbook { parameters: proposed, .. }, Plan::Playbook { parameters, .. }) = (proposal, plan) else {
        return false;
    };
    let kept = |name: &String| parameters.iter().any(|entry| entry.name.as_str() == name && as_proposed(entry.source));
    parameters.iter().any(|entry| entry.source == EnvSource::Operator) || !proposed.keys().all(kept)
}

fn as_proposed(source: EnvSource) -> bool {
    matches!(source, EnvSource::Model | EnvSource::Proposal)
}

/// Approvals of this ticket, as the rule counts them; without a ticket, the most that any one has.
pub(super) fn counted(quorum: &Quorum, decisions: &[Decision], digest: Option<&Digest>) -> u32 {
    let of = |digest: &Digest| {
        let of_this = decisions.iter().filter(|d| d.verb == Verb::Approve && d.ticket_digest.as_ref() == Some(digest));
        quorum.have(of_this.map(|d| (&d.actor, d.stands_for.as_slice())))
    };
    match digest {
        Some(digest) => of(digest),
        None => decisions.iter().filter_map(|d| d.ticket_digest.as_ref()).map(of).max().unwrap_or(0),
    }
}
