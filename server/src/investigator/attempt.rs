//! One attempt: it talks with the agent, while what is told is kept every so often, within its time, and as long as it is its own. What
//! came of it is kept with what it used.

use super::Investigator;
use crate::edge::random_bytes;
use domain::{
    investigation::{
        Investigation, StepKind, Usage,
        pace::{Failure, again_in},
    },
    ports::{Claim, Ended, NewStep},
    text::one_line,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How often what is told is kept.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// How often it is said that it goes on where nothing is told; well within what a silent one is granted.
const ALIVE_EVERY: Duration = Duration::from_secs(15);
/// How often it is tried to write down what came of it.
const TRIES: u32 = 5;
/// The most characters of a reason that are kept.
const REASON: usize = 600;

/// What is told of an attempt, and not kept yet.
#[derive(Default)]
pub struct Notes(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    steps: Vec<NewStep>,
    /// Of the questions that are answered.
    before: Usage,
    /// Of the one that is being answered.
    current: Usage,
    root_cause: Option<String>,
    model: Option<String>,
}

impl Notes {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A step, on one line.
    pub fn step(&self, kind: StepKind, text: &str) {
        self.noted().steps.push(NewStep { kind, text: one_line(text, REASON) });
    }

    /// What the question that is being answered has used so far.
    pub fn used(&self, usage: Usage) {
        self.noted().current = usage;
    }

    /// It is answered.
    pub fn answered(&self) {
        let mut noted = self.noted();
        noted.before = noted.before.and(noted.current);
        noted.current = Usage::default();
    }

    pub fn root_cause(&self, text: String) {
        self.noted().root_cause = Some(text);
    }

    pub fn model(&self, name: String) {
        self.noted().model = Some(name);
    }

    pub fn usage(&self) -> Usage {
        let noted = self.noted();
        noted.before.and(noted.current)
    }

    fn has_news(&self) -> bool {
        let noted = self.noted();
        !noted.steps.is_empty() || noted.root_cause.is_some() || noted.model.is_some()
    }
}

/// How an attempt went.
enum Went {
    /// It came to its end.
    Through(Result<Ended, Failure>),
    /// It is somebody else's.
    Lost,
    /// The console stops.
    Stopped,
}

impl Investigator {
    /// One attempt, from its beginning to its end.
    pub(super) async fn attempt(self: Arc<Self>, asked: Investigation, claim: Claim, stop: CancellationToken) {
        let began = Instant::now();
        let notes = Notes::default();
        let went = tokio::select! {
            through = timeout(self.timeout, self.talk(&asked, &notes)) => Went::Through(through.unwrap_or_else(|_| {
                Err(Failure::for_now(format!("HolmesGPT had not answered after {}", self.timeout_in_words())))
            })),
            () = self.keep_telling(&claim, &notes) => Went::Lost,
            () = stop.cancelled() => Went::Stopped,
        };
        let ended = match went {
            Went::Lost => {
                tracing::warn!(investigation = %claim.id, attempt = claim.attempt, "an investigation was taken over by another console");
                return;
            }
            Went::Through(Ok(ended)) => ended,
            Went::Through(Err(failure)) => self.failed(&claim, &failure),
            Went::Stopped if claim.attempt < self.limits.attempts => {
                Ended::Again { in_ms: 0, fault: "the console that asked HolmesGPT was stopped".into() }
            }
            Went::Stopped => Ended::Failed { fault: "the console that asked HolmesGPT was stopped".into() },
        };
        self.keep_end(&claim, &notes, ended, began).await;
    }

    fn failed(&self, claim: &Claim, failure: &Failure) -> Ended {
        let fault = one_line(&failure.reason, REASON);
        let share = u16::from_be_bytes(random_bytes());
        match again_in(failure, claim.attempt, self.limits.attempts, share) {
            Some(in_ms) => Ended::Again { in_ms, fault },
            None => Ended::Failed { fault },
        }
    }

    /// Keeps what is told as long as the attempt is its own.
    async fn keep_telling(&self, claim: &Claim, notes: &Notes) {
        let mut told_at = Instant::now();
        loop {
            sleep(KEEP_EVERY).await;
            if !notes.has_news() && told_at.elapsed() < ALIVE_EVERY {
                continue;
            }
            match self.keep_notes(claim, notes).await {
                Some(true) => told_at = Instant::now(),
                Some(false) => return,
                None => {}
            }
        }
    }

    /// Keeps what is told; whether the attempt is still its own, where the store says so.
    async fn keep_notes(&self, claim: &Claim, notes: &Notes) -> Option<bool> {
        let (steps, root_cause, model) = {
            let mut told = notes.noted();
            (std::mem::take(&mut told.steps), told.root_cause.take(), told.model.take())
        };
        let kept =
            self.investigations.tell(claim, steps.clone(), notes.usage(), root_cause.clone(), model.clone()).await;
        match kept {
            Ok(ours) => Some(ours),
            Err(error) => {
                tracing::warn!(%error, investigation = %claim.id, "what an investigation tells can't be kept");
                let mut told = notes.noted();
                told.steps.splice(0..0, steps);
                told.root_cause = told.root_cause.take().or(root_cause);
                told.model = told.model.take().or(model);
                None
            }
        }
    }

    /// Writes down how it ended. Where that can't be done it is silent soon, and tried again.
    async fn keep_end(&self, claim: &Claim, notes: &Notes, ended: Ended, began: Instant) {
        let (outcome, fault) = match &ended {
            Ended::Answered { fault, .. } => ("answered", fault.clone()),
            Ended::Again { fault, .. } => ("again", Some(fault.clone())),
            Ended::Failed { fault } => ("failed", Some(fault.clone())),
        };
        let usage = notes.usage();
        for _ in 0..TRIES {
            // What was told last comes before the end.
            if notes.has_news() && self.keep_notes(claim, notes).await.is_none() {
                sleep(KEEP_EVERY).await;
                continue;
            }
            match self.investigations.end(claim, usage, ended.clone()).await {
                Ok(true) => {
                    counted(outcome, usage, began.elapsed());
                    let fault = fault.unwrap_or_default();
                    tracing::info!(investigation = %claim.id, attempt = claim.attempt, outcome, fault, "an attempt to investigate ended");
                    return;
                }
                Ok(false) => {
                    tracing::warn!(investigation = %claim.id, "what came of an investigation is not kept: it is another console's");
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, investigation = %claim.id, "what came of an investigation can't be kept");
                    sleep(KEEP_EVERY).await;
                }
            }
        }
    }
}

fn counted(outcome: &'static str, usage: Usage, took: Duration) {
    metrics::counter!("kubernaut_investigation_attempts_total", "outcome" => outcome).increment(1);
    metrics::histogram!("kubernaut_investigation_attempt_seconds", "outcome" => outcome).record(took.as_secs_f64());
    let add = |name: &'static str, kind: &'static str, many: Option<i64>| {
        if let Some(many) = many.and_then(|many| u64::try_from(many).ok()) {
            metrics::counter!(name, "kind" => kind).increment(many);
        }
    };
    add("kubernaut_investigation_tokens_total", "prompt", usage.prompt_tokens);
    add("kubernaut_investigation_tokens_total", "completion", usage.completion_tokens);
    add("kubernaut_investigation_cost_microusd_total", "reported", usage.cost_microusd);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_question_used_is_added_up() {
        let notes = Notes::default();
        let of = |tokens: i64| Usage { prompt_tokens: Some(tokens), ..Usage::default() };
        notes.used(of(10));
        notes.used(of(25));
        assert_eq!(notes.usage(), of(25), "HolmesGPT tells the sum of one question");
        notes.answered();
        notes.used(of(5));
        assert_eq!(notes.usage(), of(30));
        assert!(!notes.has_news());
        notes.step(StepKind::Agent, "a\nb");
        assert!(notes.has_news());
    }
}
