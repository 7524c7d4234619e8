//! Words: what a playbook is found by and what a question asks for. Both sides are cut here and not by the databases, which
//! disagree about letters, signs and numbers; they only take the ends off (stems).

use crate::playbook::Registration;
use std::collections::HashSet;

/// More words than this make no question clearer.
const MOST_TERMS: usize = 24;
/// A word of so many letters also finds those that begin with it.
const SHORTEST_BEGINNING: usize = 3;

/// What says nothing about what is asked. Words that mean something to operators (up, down, off, over, out) are none of them.
const EMPTY: &[&str] = &[
    "a", "about", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because", "been",
    "being", "but", "by", "can", "could", "did", "do", "does", "doing", "each", "every", "for", "from", "get", "gets",
    "getting", "got", "had", "has", "have", "having", "he", "help", "her", "here", "his", "how", "i", "if", "in",
    "into", "is", "it", "its", "just", "keep", "keeps", "many", "may", "me", "might", "must", "my", "need", "no",
    "nor", "not", "of", "on", "only", "or", "other", "our", "please", "s", "same", "shall", "she", "should", "so",
    "some", "such", "t", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those",
    "to", "too", "us", "very", "want", "was", "we", "were", "what", "when", "where", "which", "while", "who", "whom",
    "whose", "why", "will", "with", "would", "you", "your",
];

/// The words that a playbook is found by, in lower case, by how much they say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// Of id and title.
    pub name: String,
    /// Of labels and tags.
    pub labels: String,
    /// Of the description.
    pub body: String,
}

impl Texts {
    /// Those of a registration: of what a model may see, so that nobody finds a playbook by what is hidden from them.
    pub fn of(registration: &Registration) -> Self {
        let labels = &registration.labels;
        let named = labels.named().into_iter().filter_map(|(_, value)| value);
        let labels = named.chain(labels.tags.iter().map(String::as_str));
        Self {
            name: joined([registration.id.as_str(), &registration.title]),
            labels: joined(labels),
            body: joined([registration.description.as_str()]),
        }
    }

    /// Whether one of the words begins with this one, but for an ending.
    pub fn have(&self, word: &str) -> bool {
        let stem = without_ending(word);
        [&self.name, &self.labels, &self.body].into_iter().any(|text| {
            text.split(' ').any(|has| if stem.len() < SHORTEST_BEGINNING { has == word } else { has.starts_with(stem) })
        })
    }
}

/// What a model of embeddings is told of a playbook: of what a model may see.
pub fn said(registration: &Registration) -> String {
    const LONGEST: usize = 4000;
    let labels = registration.labels.named().into_iter().filter_map(|(_, value)| value.filter(|value| *value != "*"));
    let labels: Vec<&str> = labels.chain(registration.labels.tags.iter().map(String::as_str)).collect();
    let said = format!("{}\n{}\n{}", registration.title, registration.description, labels.join(", "));
    said.chars().take(LONGEST).collect()
}

/// A word of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// As it was written, in lower case.
    pub whole: String,
    /// What it is made of, where it is written in humps (`CrashLoopBackOff`); else empty.
    pub parts: Vec<String>,
}

impl Term {
    /// Whether words that begin with this one are meant, too.
    pub fn begins(word: &str) -> bool {
        word.chars().count() >= SHORTEST_BEGINNING
    }
}

/// What somebody asked, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// Its words, without those that say nothing.
    pub terms: Vec<Term>,
}

impl Question {
    /// What this text asks for. Where it has nothing but empty words, those count.
    pub fn of(text: &str) -> Self {
        let mut seen = HashSet::new();
        let all: Vec<Term> = runs(text).map(term).filter(|term| seen.insert(term.whole.clone())).collect();
        let telling = |term: &&Term| !EMPTY.contains(&term.whole.as_str());
        let mut terms: Vec<Term> = all.iter().filter(telling).cloned().collect();
        if terms.is_empty() {
            terms = all;
        }
        terms.truncate(MOST_TERMS);
        Self { terms }
    }

    /// Its words that this playbook has.
    pub fn found_in<'q>(&'q self, texts: &Texts) -> Vec<&'q str> {
        let has = |term: &&Term| {
            texts.have(&term.whole) || !term.parts.is_empty() && term.parts.iter().all(|p| texts.have(p))
        };
        self.terms.iter().filter(has).map(|term| term.whole.as_str()).collect()
    }
}

fn joined<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut words = Vec::new();
    for run in texts.into_iter().flat_map(runs) {
        let Term { whole, parts } = term(run);
        words.push(whole);
        words.extend(parts);
    }
    words.join(" ")
}

/// Letters and digits in a row.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty())
}

fn term(run: &str) -> Term {
    let parts = humps(run);
    let parts = if parts.len() > 1 { parts.into_iter().map(str::to_lowercase).collect() } else { Vec::new() };
    Term { whole: run.to_lowercase(), parts }
}

/// `OOMKilled` is OOM and Killed. A script without blanks between its words is cut into its signs.
fn humps(run: &str) -> Vec<&str> {
    let letters: Vec<(usize, char)> = run.char_indices().collect();
    let mut starts = vec![0];
    for (place, pair) in letters.windows(2).enumerate() {
        let (before, (at, this)) = (pair[0].1, pair[1]);
        let after = letters.get(place + 2).map(|letter| letter.1);
        let hump = this.is_uppercase()
            && (before.is_lowercase() || before.is_numeric() || after.is_some_and(char::is_lowercase));
        if hump || is_sign(this) || is_sign(before) {
            starts.push(at);
        }
    }
    let ends = starts.iter().copied().skip(1).chain([run.len()]);
    starts.iter().zip(ends).map(|(start, end)| &run[*start..end]).collect()
}

/// Chinese, Japanese and Korean, which put no blanks between words.
fn is_sign(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{2FA1F}')
}

/// A word without a common English ending: enough to say why something was found.
fn without_ending(word: &str) -> &str {
    let ending = ["ing", "ed", "es", "s", "e"]
        .into_iter()
        .find(|ending| word.strip_suffix(ending).is_some_and(|rest| rest.chars().count() >= SHORTEST_BEGINNING));
    ending.and_then(|ending| word.strip_suffix(ending)).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wholes(text: &str) -> Vec<String> {
        Question::of(text).terms.into_iter().map(|term| term.whole).collect()
    }

    #[test]
    fn a_question_is_its_telling_words() {
        assert_eq!(wholes("Why does my pod keep getting OOMKilled, and the pod?"), ["pod", "oomkilled"]);
        assert_eq!(wholes("what is it"), ["what", "is", "it"], "where there is nothing else");
        assert_eq!(wholes("scale down"), ["scale", "down"]);
        assert!(Question::of(" .,;' ").terms.is_empty());
        assert_eq!(wholes(&"word".repeat(3)).len(), 1);
        let many = (0..99).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(Question::of(&many).terms.len(), MOST_TERMS);
    }

    #[test]
    fn words_in_humps_are_their_parts_too() {
        assert_eq!(humps("CrashLoopBackOff"), ["Crash", "Loop", "Back", "Off"]);
        assert_eq!(humps("OOMKilled"), ["OOM", "Killed"]);
        assert_eq!(humps("5xxErrors"), ["5xx", "Errors"]);
        assert_eq!(humps("ÄrgerÜber"), ["Ärger", "Über"]);
        assert_eq!(humps("内存x"), ["内", "存", "x"]);
        assert_eq!(humps("p1"), ["p1"]);
        assert!(Question::of("plain").terms[0].parts.is_empty());
    }

    #[test]
    fn a_playbook_is_found_by_what_a_model_may_see_of_it() {
        let registration: Registration = serde_json::from_value(json!({
            "workflow_id": "oomkill-scale-down", "version": "1.0.0", "title": "Scale down", "description": "When pods are evicted.",
            "container_image": "quay.io/kubernaut/mender:v1", "labels": { "signal_type": "OOMKilled", "severity": "*", "tags": ["memory"] },
            "parameters": { "exposed": [], "hidden": [{ "name": "TOKEN", "value": "secretword" }] }, "internal_steps": ["steppingstone"],
        }))
        .expect("a registration");
        let texts = Texts::of(&registration);
        assert_eq!(texts.name, "oomkill scale down scale down");
        assert_eq!(texts.labels, "oomkilled oom killed memory");
        assert_eq!(texts.body, "when pods are evicted");
        assert_eq!(said(&registration), "Scale down\nWhen pods are evicted.\nOOMKilled, memory");
        assert!(!format!("{texts:?}").contains("secretword") && !format!("{texts:?}").contains("stepping"));
        let question = Question::of("evicting pods by MemoryPressure OOMKilled scaled zzz");
        assert_eq!(question.found_in(&texts), ["evicting", "pods", "oomkilled", "scaled"]);
    }
}
