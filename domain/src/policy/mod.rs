//! Approval policies: who must agree before something runs. A policy is a document of ordered rules; the first one that matches
//! decides, and the last one matches everything. Here are its words; how it is read stands in [`read()`], what it says about one
//! case in [`judge()`], who counts in [`Quorum`], what it would have said in [`simulate`].
//!
//! Conditions beyond the fields are texts in CEL. What they mean is known behind [`Conditions`] only: this crate is compiled for
//! the browser, too, and an interpreter would be most of it.

mod facts;
mod freeze;
mod judge;
mod quorum;
mod read;
mod ruling;
pub mod simulate;
mod whole;
mod words;

pub use facts::{Facts, Measure, VARIABLES, Variable};
pub use freeze::{Freeze, Moment, Window};
pub use judge::judge;
pub use quorum::{Count, Quorum, Voter};
pub use read::{MAX_BYTES, read};
pub use ruling::{Concurrency, InTheWay, Ruling, Terms};
pub use words::RuleInWords;

use crate::{
    identity::Role,
    recommendation::{Risk, Severity},
    recovery::Recovery,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The policy that a ticket was made under, and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyTerms {
    /// Which policy.
    pub id: String,
    /// Which version of it.
    pub version: u32,
    /// How many distinct people must approve.
    pub approvals: u32,
    /// Which of its rules; none in tickets from before policies had rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Who may let it run, where it is not people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
}

impl PolicyTerms {
    /// The default policy: one approval, two for high risk, never automatically (`safety.md`, Who may do what).
    pub fn default_for(risk: Risk) -> Self {
        let approvals = if risk == Risk::High { 2 } else { 1 };
        Self { id: "default".into(), version: 1, approvals, rule: None, grant: None }
    }
}

/// The default policy as it is written (`migrations/…/0021_policies.sql` puts it in force).
pub const DEFAULT_YAML: &str = "\
# One person approves; two where the risk is high. Never automatically.
name: default
rules:
  - name: high-risk
    match:
      risk: high
    approvals: 2
  - name: everything-else
    approvals: 1
";

/// Who may let something run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// People: as many as the rule says.
    #[default]
    People,
    /// The policy itself, as soon as it comes in; people where it could not then.
    Automatic,
    /// Nobody.
    Never,
}

impl Grant {
    /// The words of a document and what they mean.
    pub const WORDS: &[(&str, Self)] =
        &[("people", Self::People), ("automatic", Self::Automatic), ("never", Self::Never)];
}

/// A policy, as its document says it. [`read()`] is the only way in for what somebody sent; `Deserialize` reads back what was
/// stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Policy {
    /// What it is called.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How many distinct people must agree before another policy takes its place.
    pub activation: u32,
    /// Groups of people, by name; each member is the name of an account, or `role:` and a role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Vec<String>>,
    /// When nothing is approved, for the rules that name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freezes: Vec<Freeze>,
    /// The rules in their order; never empty, and the last one matches everything.
    pub rules: Vec<Rule>,
}

/// A rule: for what, and what it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rule {
    /// What it is called; unique in its policy.
    pub name: String,
    /// Why there is such a rule, for those it stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What it is for; nothing said: for everything.
    #[serde(default, rename = "match", skip_serializing_if = "Match::is_empty")]
    pub fits: Match,
    /// Who may let it run.
    #[serde(default)]
    pub grant: Grant,
    /// Who counts, and how many it takes.
    pub approvals: Quorum,
    /// How long it can be decided and its approval holds, milliseconds; as the console is set where none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<i64>,
    /// Names of the freezes that hold for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freeze: Vec<String>,
    /// What it asks of other runs on the same object.
    #[serde(default, skip_serializing_if = "Concurrency::is_none")]
    pub guard: Concurrency,
    /// Whether nobody may let it run unless somebody trusted signed all images.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_signature: bool,
    /// What the console may do by itself after a run that went wrong.
    #[serde(default, skip_serializing_if = "Recovery::is_none")]
    pub recovery: Recovery,
}

/// What a rule is for: all that is said must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Match {
    /// Patterns of clusters' names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cluster: Vec<String>,
    /// Patterns of environments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// Patterns of namespaces; what acts in several is judged for each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespace: Vec<String>,
    /// Severities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub severity: Vec<Severity>,
    /// Risks: the higher of the model's word and the registration's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub risk: Vec<Risk>,
    /// Patterns of playbooks' ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub playbook: Vec<String>,
    /// Patterns of action types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub action_type: Vec<String>,
    /// By which ways it came: the words of `Origin::name`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub origin: Vec<String>,
    /// How sure the model says it is; nothing said never holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Range>,
    /// How often this version of the playbook has gone through; nothing measured never holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured_success: Option<Measured>,
    /// Whether somebody trusted signed all images. What nobody could verify is as if it were not signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed: Option<bool>,
    /// A condition in CEL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

impl Match {
    /// Whether it is for everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Numbers from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Range {
    /// Not less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// Less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
}

impl Range {
    /// Whether a number is in it.
    pub fn holds(self, number: f64) -> bool {
        self.at_least.is_none_or(|least| number >= least) && self.below.is_none_or(|end| number < end)
    }
}

/// What was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Measured {
    /// The rate of success.
    #[serde(flatten)]
    pub rate: Range,
    /// Over at least so many runs.
    pub runs: u32,
}

/// Who knows what a condition means.
pub trait Conditions: Send + Sync {
    /// What is wrong with a condition, in words; none where it can be evaluated.
    fn check(&self, condition: &str) -> Option<String>;
    /// Whether it holds; why it can't be told, in words.
    fn holds(&self, condition: &str, facts: &Facts) -> Result<bool, String>;
    /// Does something in which several conditions are asked, with what they take got ready once.
    fn together(&self, work: &mut (dyn FnMut() + Send)) {
        work();
    }
}

impl Policy {
    /// The groups that somebody belongs to, in the order of their names.
    pub fn groups_of(&self, voter: &Voter) -> Vec<String> {
        let is_in = |member: &String| match member.strip_prefix(ROLE) {
            Some(role) => voter.roles.iter().any(|held| held.name() == role),
            None => *member == voter.name,
        };
        let named = self.groups.iter().filter(|(_, members)| members.iter().any(is_in));
        named.map(|(name, _)| name.clone()).collect()
    }

    /// The names of accounts in its groups, each once.
    pub fn account_names(&self) -> BTreeSet<&str> {
        let members = self.groups.values().flatten().map(String::as_str);
        members.filter(|member| !member.starts_with(ROLE)).collect()
    }

    /// Whether any rule asks for what was measured.
    pub fn asks_for_measures(&self) -> bool {
        let asks = |fits: &Match| {
            fits.measured_success.is_some() || fits.when.as_ref().is_some_and(|w| w.contains("measured"))
        };
        self.rules.iter().any(|rule| asks(&rule.fits))
    }

    /// Whether any rule asks who signed what runs.
    pub fn asks_for_signatures(&self) -> bool {
        let asks = |fits: &Match| fits.signed.is_some() || fits.when.as_ref().is_some_and(|w| w.contains("signe"));
        self.rules.iter().any(|rule| rule.require_signature || asks(&rule.fits))
    }

    /// Whether any rule has a condition.
    pub fn has_conditions(&self) -> bool {
        self.rules.iter().any(|rule| rule.fits.when.is_some())
    }
}

/// What a member begins with that is a role.
const ROLE: &str = "role:";

/// The role that a member of a group names, if it names one.
pub(crate) fn role_of(member: &str) -> Option<Result<Role, crate::identity::UnknownRole>> {
    member.strip_prefix(ROLE).map(str::parse)
}

#[cfg(test)]
mod tests;
