//! A policy in plain words, rule by rule, for those who do not read its document.

use super::{Match, Policy, Range, judge};

/// A rule in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInWords {
    /// What it is called.
    pub name: String,
    /// What it is for, all of which must hold; nothing: everything that no rule before it is for.
    pub fits: Vec<String>,
    /// A condition in CEL that must hold, too.
    pub when: Option<String>,
    /// Who must approve.
    pub who: String,
    /// What else it asks for, a sentence each.
    pub asks: Vec<String>,
}

impl Policy {
    /// Its rules in words, in their order.
    pub fn in_words(&self) -> Vec<RuleInWords> {
        let words = self.rules.iter().map(|rule| {
            let ruling = judge::ruling(self, 0, rule, rule.grant, Vec::new());
            RuleInWords {
                name: rule.name.clone(),
                fits: rule.fits.in_words(),
                when: rule.fits.when.clone(),
                who: ruling.who(),
                asks: ruling
                    .conditions()
                    .into_iter()
                    .chain(rule.require_signature.then(|| "Only what somebody trusted signed.".to_owned()))
                    .collect(),
            }
        });
        words.collect()
    }
}

impl Match {
    fn in_words(&self) -> Vec<String> {
        let texts = [
            ("cluster", self.cluster.clone()),
            ("environment", self.environment.clone()),
            ("namespace", self.namespace.clone()),
            ("severity", self.severity.iter().map(|one| one.name().to_owned()).collect()),
            ("risk", self.risk.iter().map(|one| one.name().to_owned()).collect()),
            ("playbook", self.playbook.clone()),
            ("action type", self.action_type.clone()),
            ("origin", self.origin.clone()),
        ];
        let named = texts.into_iter().filter(|(_, values)| !values.is_empty());
        let mut words: Vec<String> = named.map(|(name, values)| format!("{name} {}", values.join(" or "))).collect();
        words.extend(self.confidence.map(|range| format!("confidence {}", in_words(range))));
        words.extend(self.signed.map(|signed| {
            let words =
                if signed { "signed by somebody trusted" } else { "not signed by anybody trusted, as far as is known" };
            words.to_owned()
        }));
        words.extend(self.measured_success.map(|measured| {
            format!("measured success {} over {} runs or more", in_words(measured.rate), measured.runs)
        }));
        words
    }
}

fn in_words(range: Range) -> String {
    match (range.at_least, range.below) {
        (Some(least), Some(end)) => format!("at least {least} and below {end}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(end)) => format!("below {end}"),
        (None, None) => "known".into(),
    }
}
