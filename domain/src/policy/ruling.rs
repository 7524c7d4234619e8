//! What a policy says about one case, and the same in words: the people it stops must see why.

use super::{Count, Freeze, Grant, PolicyTerms, Quorum};
use crate::{
    ids::ExecutionId,
    recommendation::Risk,
    recovery::Recovery,
    time::{Timestamp, human},
};
use serde::{Deserialize, Serialize};

/// What a rule asks of other runs on the same object. What nobody says of an object may be anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Concurrency {
    /// How long after the end of one the next may begin, milliseconds; 0: at once.
    pub cool_down_ms: i64,
    /// Whether no other may go on beside it. A time to cool down begins with an end, so it asks for this, too.
    pub one_at_a_time: bool,
}

impl Concurrency {
    /// Whether it asks for nothing.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A run that stands in the way of another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InTheWay {
    /// Which.
    pub id: ExecutionId,
    /// Its name in the cluster.
    pub name: String,
    /// When it will not any more; none while it goes on.
    pub until: Option<Timestamp>,
}

impl InTheWay {
    /// What that means for the other one.
    pub fn words(&self) -> String {
        let name = &self.name;
        match self.until {
            None => format!(
                "{name} goes on on the same object, and only one may at a time; approve this once that has ended"
            ),
            Some(until) => {
                format!(
                    "{name} ended on the same object a short time ago, and what it did is to show first; approve this after {until}"
                )
            }
        }
    }
}

/// What a decision is held to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The version of the policy that says it.
    pub version: u32,
    /// Its rule.
    pub rule: String,
    /// Who may let it run.
    pub grant: Grant,
    /// Who counts, and how many it takes.
    pub quorum: Quorum,
    /// When it is not approved.
    pub freezes: Vec<Freeze>,
    /// What it asks of other runs on the same object.
    pub guard: Concurrency,
    /// Whether it asks for a signature of each image, when it is approved and when it starts.
    pub signed: bool,
}

impl Terms {
    /// So many people under this version, and nothing else.
    pub fn people(version: u32, need: u32) -> Self {
        Self {
            version,
            rule: "everything-else".into(),
            grant: Grant::People,
            quorum: Quorum::people(need),
            freezes: Vec::new(),
            guard: Concurrency::default(),
            signed: false,
        }
    }

    /// Whether who may approve under these terms may under the others, too, and it takes no fewer of them.
    pub fn covers(&self, other: &Self) -> bool {
        match (self.grant, other.grant) {
            (Grant::Never, _) | (Grant::People, Grant::Automatic) => true,
            (_, Grant::Never) | (Grant::Automatic, Grant::People) => false,
            _ => self.quorum.covers(&other.quorum),
        }
    }

    /// The freeze that holds, with its end.
    pub fn frozen(&self, now: Timestamp) -> Option<(&Freeze, Timestamp)> {
        self.freezes
            .iter()
            .filter_map(|freeze| Some((freeze, freeze.window.until(now)?)))
            .max_by_key(|(_, until)| *until)
    }

    /// When the next freeze begins.
    pub fn freezes_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.freezes.iter().filter_map(|freeze| freeze.window.begins(now)).min()
    }
}

/// What a policy says about one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The policy's name.
    pub policy: String,
    /// What a decision is held to.
    pub terms: Terms,
    /// What may go wrong, as it was judged: the highest of the words of model and registration.
    pub risk: Risk,
    /// How long it can be decided, milliseconds; as the console is set where none.
    pub expires_ms: Option<i64>,
    /// What the console may do by itself after a run of it that went wrong.
    #[serde(default)]
    pub recovery: Recovery,
    /// Why there is such a rule, as its author says.
    pub why: Option<String>,
    /// What made it match: "environment production", "risk high".
    pub because: Vec<String>,
    /// What is wrong with the policy, where that made the ruling.
    pub trouble: Option<String>,
}

impl Ruling {
    /// Adds what another ruling on the same case asks for beside people: freezes, time, other runs, signatures.
    pub(super) fn hold_to(&mut self, other: &Self) {
        for freeze in &other.terms.freezes {
            if !self.terms.freezes.contains(freeze) {
                self.terms.freezes.push(freeze.clone());
            }
        }
        let (guard, others) = (&mut self.terms.guard, other.terms.guard);
        guard.cool_down_ms = guard.cool_down_ms.max(others.cool_down_ms);
        guard.one_at_a_time |= others.one_at_a_time;
        self.terms.signed |= other.terms.signed;
        self.expires_ms = [self.expires_ms, other.expires_ms].into_iter().flatten().min();
        // What not all of them let happen by itself does not.
        if self.recovery != other.recovery {
            self.recovery = Recovery::None;
        }
    }

    /// What of it stands in the ticket.
    pub fn ticket_terms(&self) -> PolicyTerms {
        PolicyTerms {
            id: self.policy.clone(),
            version: self.terms.version,
            approvals: if self.terms.grant == Grant::Never { 0 } else { self.terms.quorum.need },
            rule: Some(self.terms.rule.clone()),
            grant: Some(self.terms.grant).filter(|grant| *grant != Grant::People),
        }
    }

    /// Who must approve.
    pub fn who(&self) -> String {
        let must = must(&self.terms.quorum);
        match self.terms.grant {
            Grant::Never => "nobody can approve this".into(),
            Grant::Automatic => format!("the policy itself lets this run; where it could not when it came in, {must}"),
            Grant::People => must,
        }
    }

    /// Who must approve and which rule says so, as one sentence.
    pub fn explanation(&self) -> String {
        let Self { policy, terms, because, .. } = self;
        let Terms { version, rule, .. } = terms;
        if let Some(trouble) = &self.trouble {
            return format!("Nobody can approve this until the policy {policy} v{version} is mended: {trouble}.");
        }
        let must = capital(&self.who());
        let matches = if because.is_empty() { "no other rule is for it".to_owned() } else { because.join(", ") };
        format!("{must}: rule {rule} of the policy {policy} v{version} ({matches}).")
    }

    /// What else the rule says, a sentence each.
    pub fn conditions(&self) -> Vec<String> {
        let Terms { quorum, freezes, guard, grant, .. } = &self.terms;
        let mut said: Vec<String> = self.why.iter().cloned().collect();
        if *grant == Grant::Never {
            return said;
        }
        if quorum.requester_counts {
            said.push("Who requested it counts.".into());
        }
        if !quorum.last_editor_counts {
            said.push("Who last edited the parameters does not count.".into());
        }
        if let Some(ms) = self.expires_ms {
            said.push(format!("It can be decided for {}.", human(ms)));
        }
        said.extend(freezes.iter().map(|freeze| format!("Not during {}: {}.", freeze.name, freeze.window)));
        if guard.cool_down_ms > 0 {
            said.push(format!(
                "Not before {} after the end of the last run on the same object.",
                human(guard.cool_down_ms)
            ));
        } else if guard.one_at_a_time {
            said.push("One run at a time on the same object.".into());
        }
        said.extend(self.recovery.words().map(|words| format!("After a run that fails or does not help, {words}.")));
        said
    }
}

fn must(quorum: &Quorum) -> String {
    let of = quorum.of.join(" or ");
    match (quorum.count, quorum.need, quorum.of.is_empty()) {
        (Count::People, 1, true) => "one person must approve".into(),
        (Count::People, 1, false) => format!("one person of {of} must approve"),
        (Count::People, need, true) => format!("{} different people must approve", in_words(need)),
        (Count::People, need, false) => format!("{} different people of {of} must approve", in_words(need)),
        (Count::Groups, need, _) => {
            format!("a person of each of {} groups must approve, out of {}", in_words(need), quorum.of.join(", "))
        }
    }
}

fn in_words(number: u32) -> String {
    match number {
        2 => "two".into(),
        3 => "three".into(),
        4 => "four".into(),
        5 => "five".into(),
        other => other.to_string(),
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
