//! Approval policies, as pages and programs may ask for them.

use super::Answer;
use crate::{
    identity::Caller,
    paging::{Page, PageOf},
    policy::{Policy, simulate::Simulation},
    ports::PolicyRecord,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// How far a simulation looks back where nobody says, days.
pub const LOOK_BACK_DAYS: u32 = 90;

/// What an activation came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivationAnswer {
    /// The version, as it stands now.
    pub record: PolicyRecord,
    /// How many agree.
    pub have: u32,
    /// How many must.
    pub need: u32,
}

/// Policies and their versions.
#[async_trait]
pub trait PolicyService: Send + Sync {
    /// A page of versions, newest first; needs `policies:read`.
    async fn policies(&self, caller: &Caller, page: &Page) -> Answer<PageOf<PolicyRecord>>;
    /// The version in force; needs `policies:read`.
    async fn policy_in_force(&self, caller: &Caller) -> Answer<PolicyRecord>;
    /// One version; needs `policies:read`.
    async fn policy(&self, caller: &Caller, version: u32) -> Answer<PolicyRecord>;
    /// What a text in YAML or JSON says as a policy, or its faults; needs `policies:write`. Nothing is stored.
    async fn check_policy(&self, caller: &Caller, yaml: &str) -> Answer<Policy>;
    /// The names in its groups that no account has, for a warning: nobody approves for such a group under that name; needs `policies:read`.
    async fn unknown_names(&self, caller: &Caller, policy: &Policy) -> Answer<Vec<String>>;
    /// Stores it as a new version that is not in force; needs `policies:write`.
    async fn draft_policy(&self, caller: &Caller, yaml: &str) -> Answer<PolicyRecord>;
    /// What this version would have said to the decisions of the last so many days; needs `policies:read`. Has no effect.
    async fn simulate_policy(&self, caller: &Caller, version: u32, days: u32) -> Answer<Simulation>;
    /// Agrees that a version is put in force, which it is once enough do; needs `policies:write`.
    async fn activate_policy(&self, caller: &Caller, version: u32, reason: Option<String>) -> Answer<ActivationAnswer>;
    /// The file that the policy in force is kept in, where it is; then it is changed there only. Anybody may know.
    fn policy_file(&self) -> Option<String>;
}
