//! What is talked of with the agent: the root cause first, then what remedies it, and where its answer can't be taken, what to change. A
//! few times, and no more.

use super::{Investigator, attempt::Notes, holmes::Question};
use crate::services::investigations::agent;
use domain::{
    fault::Fault,
    ids::RecommendationId,
    incident::IncidentRecord,
    investigation::{
        Investigation, PROMPT_VERSION, StepKind,
        answer::{self, Answer},
        pace::Failure,
        prompt,
        stream::Told,
    },
    ports::{Ended, StoreError},
    recommendation::Model,
    services::ServiceError,
    signal::Signal,
};
use serde_json::Value;

/// How often the agent is told what to change in its answer.
const CORRECTIONS: u32 = 2;
/// Signals that are looked at.
const SIGNALS: u32 = 200;
/// Recommendations of the incident among which that of an earlier attempt is looked for.
const RECOMMENDED: u32 = 10;
/// The longest root cause that is kept, characters.
const ROOT_CAUSE: usize = 16_000;

/// What came of an answer.
enum Taken {
    Kept(RecommendationId),
    NothingFits(String),
    Wrong(Vec<Fault>),
}

impl Investigator {
    /// Asks until there is an answer that can be taken.
    pub(super) async fn talk(&self, asked: &Investigation, notes: &Notes) -> Result<Ended, Failure> {
        if let Some(there) = self.recommended_before(asked).await? {
            return Ok(Ended::Answered { recommendation: Some(there), fault: None });
        }
        let incident = self.signals.incident(&asked.incident).await.map_err(away)?;
        let incident = incident.ok_or_else(|| Failure::for_good("the incident is not kept any more"))?;
        let signals = self.signals.signals(&asked.incident, SIGNALS).await.map_err(away)?;
        let model = Model {
            provider: Some("holmesgpt".into()),
            name: self.holmes.model().await,
            prompt_version: Some(PROMPT_VERSION.into()),
            investigation_id: Some(asked.id.to_string()),
        };
        if let Some(name) = model.name.clone() {
            notes.model(name);
        }

        notes.step(StepKind::Console, "Asked for the root cause");
        let conversation = asked.id.as_str();
        let ask = prompt::root_cause(&incident, &signals);
        let (analysis, history) =
            self.question(Question { ask: &ask, history: None, form: None, conversation }, notes).await?;
        let root_cause: String = analysis.trim().chars().take(ROOT_CAUSE).collect();
        if root_cause.is_empty() {
            return Err(Failure::for_now("HolmesGPT answered without a root cause"));
        }
        notes.root_cause(root_cause);
        self.choose(asked, &incident, &signals, &model, history, notes).await
    }

    /// Asks which playbook remedies it.
    async fn choose(
        &self,
        asked: &Investigation,
        incident: &IncidentRecord,
        signals: &[Signal],
        model: &Model,
        mut history: Value,
        notes: &Notes,
    ) -> Result<Ended, Failure> {
        let nothing = |why: String| Ok(Ended::Answered { recommendation: None, fault: Some(why) });
        let mut ask = if self.mcp {
            notes.step(StepKind::Console, "Asked which playbook helps; it searches the catalog by MCP");
            prompt::selection(None)
        } else {
            let shortlist = self.services.shortlist(&agent(&asked.id), incident).await.map_err(not_served)?;
            if shortlist.is_empty() {
                return nothing(
                    "No playbook of the catalog fits this signal, its severity and its environment.".into(),
                );
            }
            notes.step(StepKind::Console, &format!("Asked which of {} playbooks helps", shortlist.len()));
            prompt::selection(Some(&shortlist))
        };
        let about = answer::incident(incident, signals);
        let mut last_fault = String::new();
        for left in (0..=CORRECTIONS).rev() {
            let question = Question {
                ask: &ask,
                history: Some(&history),
                form: Some(answer::schema()),
                conversation: asked.id.as_str(),
            };
            let (text, said) = self.question(question, notes).await?;
            history = said;
            let taken = match answer::read(&text, &about, model) {
                Err(faults) => Taken::Wrong(faults),
                Ok(Answer::NothingFits(why)) => Taken::NothingFits(why),
                Ok(Answer::Proposed(body)) => {
                    let taken = self.services.take_investigated(&agent(&asked.id), &body, left == 0).await;
                    match taken.map_err(not_served)? {
                        Ok(kept) => Taken::Kept(kept.id),
                        Err(faults) => Taken::Wrong(faults),
                    }
                }
            };
            match taken {
                Taken::Kept(id) => return Ok(Ended::Answered { recommendation: Some(id), fault: None }),
                Taken::NothingFits(why) => return nothing(format!("No playbook fits the root cause: {why}")),
                Taken::Wrong(faults) => {
                    last_fault = faults.first().map(ToString::to_string).unwrap_or_default();
                    let told = if left == 0 { "" } else { "; told it what to change" };
                    let many = faults.len();
                    notes.step(
                        StepKind::Console,
                        &format!("Its answer has {many} faults{told}. The first: {last_fault}"),
                    );
                    ask = prompt::correction(&faults);
                }
            }
        }
        Err(Failure::for_good(format!(
            "HolmesGPT's answer can't be taken, although it was told {CORRECTIONS} times what to change: {last_fault}"
        )))
    }

    /// Asks one question; its answer, and the conversation so far.
    async fn question(&self, question: Question<'_>, notes: &Notes) -> Result<(String, Value), Failure> {
        let mut answering = self.holmes.ask(question).await?;
        loop {
            match answering.next().await? {
                Told::Step(kind, text) => notes.step(kind, &text),
                Told::Used(usage) => notes.used(usage),
                Told::Failed(why) => return Err(Failure::for_now(format!("HolmesGPT did not come to an end: {why}"))),
                Told::Answered(answered) => {
                    notes.used(answered.usage);
                    notes.answered();
                    return Ok((answered.analysis, answered.history));
                }
            }
        }
    }

    /// What an earlier attempt has recommended whose console ended before it could write that down.
    async fn recommended_before(&self, asked: &Investigation) -> Result<Option<RecommendationId>, Failure> {
        if asked.attempts.len() < 2 {
            return Ok(None);
        }
        let ids = self.signals.recommended(&asked.incident, RECOMMENDED).await.map_err(away)?;
        let there = self.recommendations.these(&ids).await.map_err(away)?;
        let ours = there.into_iter().find(|one| {
            let model = one.content.model.as_ref();
            model.and_then(|model| model.investigation_id.as_deref()) == Some(asked.id.as_str())
        });
        Ok(ours.map(|one| one.id))
    }
}

/// The store failed.
#[expect(clippy::needless_pass_by_value, reason = "what map_err hands in")]
fn away(error: StoreError) -> Failure {
    tracing::warn!(%error, "an investigation can't go on");
    Failure::for_now("the console's database was not available")
}

/// The services did not take it, or did not search.
fn not_served(error: ServiceError) -> Failure {
    tracing::warn!(%error, "an investigation can't go on");
    match error {
        ServiceError::Unavailable(why) => Failure::for_now(format!("the answer could not be kept: {why}")),
        _ => Failure::for_now("the answer could not be kept; the console's log says why"),
    }
}
