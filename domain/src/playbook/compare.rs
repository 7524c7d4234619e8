//! What became of a playbook from one version to the next, in words: does whatever was stored for the old one (a model's
//! answer, a ticket, what somebody wrote down) still hold for the new one? From that follows the version it should have
//! (<https://semver.org>).
//!
//! A change is *breaking* when values that were valid may not be any more, or when the same values would do something else
//! by the registration's own doing. Where it can't be told (a pattern that changed) it is called breaking. What happens
//! inside an image nobody can see here.

mod parameters;
mod version;

use serde::{Deserialize, Serialize};

use super::{Capture, HiddenParameter, HiddenSource, Labels, OutputDeclaration, Registration};
use crate::recommendation::Risk;

pub use version::{proposed, says_enough};

/// How far a change reaches; the order is from small to large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Only what people read, or another build of the image: a patch.
    Patch,
    /// More is possible than before, nothing less: a minor version.
    Compatible,
    /// Stored parameters may become invalid or mean something else: a major version.
    Breaking,
}

impl Reach {
    /// The word that stands on the page.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Patch => "Patch",
            Self::Compatible => "Compatible",
            Self::Breaking => "Breaking",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alteration {
    /// What it is about: a parameter's name, or a word for the part of the registration.
    pub subject: String,
    /// Whether the subject is a name as it stands in the registration.
    pub named: bool,
    /// How far it reaches.
    pub reach: Reach,
    /// What changed, and for a breaking change what that does.
    pub words: String,
}

/// All that changed, breaking changes first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The changes.
    pub alterations: Vec<Alteration>,
}

impl Comparison {
    /// What became of `old` in `new`.
    pub fn of(old: &Registration, new: &Registration) -> Self {
        let mut found = Found::default();
        parameters::exposed(&old.parameters.exposed, &new.parameters.exposed, &mut found);
        hidden(&old.parameters.hidden, &new.parameters.hidden, &mut found);
        outputs(&old.outputs, &new.outputs, &mut found);
        running(old, new, &mut found);
        labels(&old.labels, &new.labels, &mut found);
        texts(old, new, &mut found);
        found.0.sort_by_key(|alteration| std::cmp::Reverse(alteration.reach));
        Self { alterations: found.0 }
    }

    /// How far the farthest change reaches; none when nothing changed.
    pub fn reach(&self) -> Option<Reach> {
        self.alterations.iter().map(|alteration| alteration.reach).max()
    }

    /// How many changes reach that far.
    pub fn count(&self, reach: Reach) -> usize {
        self.alterations.iter().filter(|alteration| alteration.reach == reach).count()
    }
}

/// The changes found so far.
#[derive(Default)]
struct Found(Vec<Alteration>);

impl Found {
    /// About something that has a name.
    fn named(&mut self, subject: &impl ToString, reach: Reach, words: impl Into<String>) {
        self.0.push(Alteration { subject: subject.to_string(), named: true, reach, words: words.into() });
    }

    /// About a part of the registration.
    fn part(&mut self, subject: &str, reach: Reach, words: impl Into<String>) {
        self.0.push(Alteration { subject: subject.to_owned(), named: false, reach, words: words.into() });
    }

    /// About a part that is one text, where it differs.
    fn text(&mut self, subject: &str, reach: Reach, old: &str, new: &str) {
        if old != new {
            self.part(subject, reach, format!("{} became {}", or_none(old), or_none(new)));
        }
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

fn hidden(old: &[HiddenParameter], new: &[HiddenParameter], found: &mut Found) {
    for before in old {
        let name = &before.name;
        match new.iter().find(|after| after.name == *name) {
            None => found.named(name, Reach::Breaking, "hidden, is not set any more: the image runs without it"),
            Some(after) if after.source != before.source => {
                let words = format!(
                    "hidden, was {} and is {}: the same answer does something else",
                    source(&before.source),
                    source(&after.source)
                );
                found.named(name, Reach::Breaking, words);
            }
            Some(after) if after.description != before.description => {
                found.named(name, Reach::Patch, "hidden, is described in other words");
            }
            Some(_) => {}
        }
    }
    for after in new.iter().filter(|after| !old.iter().any(|before| before.name == after.name)) {
        found.named(&after.name, Reach::Compatible, format!("hidden, is new: {}", source(&after.source)));
    }
}

fn source(source: &HiddenSource) -> String {
    match source {
        HiddenSource::Value(text) if text.is_empty() => "empty".to_owned(),
        HiddenSource::Value(text) => text.clone(),
        HiddenSource::SecretRef { name, key } => format!("the Secret {name}/{key}"),
    }
}

fn outputs(old: &[OutputDeclaration], new: &[OutputDeclaration], found: &mut Found) {
    for before in old {
        let name = &before.name;
        match new.iter().find(|after| after.name == *name) {
            None => found.named(name, Reach::Breaking, "is not reported any more: whoever reads it finds nothing"),
            Some(after) if after.kind != before.kind => {
                found.named(name, Reach::Breaking, format!("is reported as {} instead of {}", after.kind, before.kind));
            }
            Some(_) => {}
        }
    }
    for after in new.iter().filter(|after| !old.iter().any(|before| before.name == after.name)) {
        found.named(&after.name, Reach::Compatible, format!("is reported, too, as {}", after.kind));
    }
}

/// How it runs: no stored value depends on it, but whoever approves should know.
fn running(old: &Registration, new: &Registration, found: &mut Found) {
    let (before, after) = (&old.execution, &new.execution);
    found.text("Container image", Reach::Patch, &old.image.to_string(), &new.image.to_string());
    let policy = |registration: &Registration| format!("{:?}", registration.image_pull_policy);
    found.text("Pulled", Reach::Patch, &policy(old), &policy(new));
    let account = Reach::Compatible;
    found.text("Service account", account, before.service_account.as_str(), after.service_account.as_str());
    found.text("Timeout", Reach::Compatible, &before.timeout.to_string(), &after.timeout.to_string());
    found.text("Retries", Reach::Compatible, &before.retry_count.to_string(), &after.retry_count.to_string());
    let again = |may: bool| if may { "yes" } else { "no" };
    found.text("Safe to repeat", Reach::Compatible, again(before.idempotent), again(after.idempotent));
    let kept = |captures: &[Capture]| {
        captures.iter().map(|one| format!("{} for {}", one.field, one.parameter)).collect::<Vec<_>>().join(", ")
    };
    found.text("Kept before a run", Reach::Compatible, &kept(&before.capture), &kept(&after.capture));
    let risk = |registration: &Registration| registration.risk.map(Risk::name).unwrap_or_default();
    found.text("Risk", Reach::Compatible, risk(old), risk(new));
}

fn labels(old: &Labels, new: &Labels, found: &mut Found) {
    let pairs = [
        ("Signal", &old.signal_type, &new.signal_type),
        ("Severity", &old.severity, &new.severity),
        ("Component", &old.component, &new.component),
        ("Environment", &old.environment, &new.environment),
        ("Priority", &old.priority, &new.priority),
        ("Risk tolerance", &old.risk_tolerance, &new.risk_tolerance),
        ("Business category", &old.business_category, &new.business_category),
        ("Category", &old.category, &new.category),
    ];
    for (subject, before, after) in pairs {
        let text = |label: &Option<String>| label.clone().unwrap_or_default();
        found.text(subject, Reach::Compatible, &text(before), &text(after));
    }
    let listed = |tags: &[String], others: &[String]| {
        tags.iter().filter(|tag| !others.contains(tag)).cloned().collect::<Vec<_>>().join(", ")
    };
    for (tags, words) in [(listed(&new.tags, &old.tags), "new"), (listed(&old.tags, &new.tags), "gone")] {
        if !tags.is_empty() {
            found.part("Tags", Reach::Patch, format!("{words}: {tags}"));
        }
    }
}

fn texts(old: &Registration, new: &Registration, found: &mut Found) {
    found.text("Title", Reach::Patch, &old.title, &new.title);
    if old.description != new.description {
        found.part("Description", Reach::Patch, "says something else: a model chooses by it");
    }
    if old.internal_steps != new.internal_steps || old.remediation_steps != new.remediation_steps {
        found.part("Steps", Reach::Patch, "are described in other words");
    }
}

#[cfg(test)]
mod tests;
