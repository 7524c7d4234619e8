//! Approval policies: reading what somebody wrote, drafts, and putting one in force.

use super::{Services, reason, store_fault};
use async_trait::async_trait;
use domain::{
    audit::AuditEntry,
    fault::{Fault, code},
    identity::{Caller, Right},
    json::strict::{self, Limits, Unread},
    paging::{Page, PageOf},
    policy::{self, Conditions, MAX_BYTES, Policy, simulate::Simulation},
    ports::{Activated, Activation, NewPolicy, PolicyOrigin, PolicyRecord},
    services::{ActivationAnswer, Answer, PolicyService, ServiceError},
};
use serde_json::Value;

/// Reads a policy from YAML, or from JSON where it begins with `{`. Pointers lead into the document.
pub fn read_policy(text: &str, conditions: &dyn Conditions) -> Result<Policy, Vec<Fault>> {
    let document = read_document(text).map_err(|fault| vec![fault])?;
    policy::read(&document, conditions).map_err(domain::fault::Faults::into_vec)
}

/// Reads a short document, YAML or JSON.
pub fn read_document(text: &str) -> Result<Value, Fault> {
    if text.len() > MAX_BYTES {
        let message = format!("shorten the document: {} bytes, at most {MAX_BYTES}", text.len());
        return Err(Fault::new("", code::TOO_LONG, message));
    }
    let limits = Limits { bytes: MAX_BYTES, ..Limits::default() };
    if text.trim_start().starts_with('{') {
        let read = strict::parse(text.as_bytes(), limits);
        return read.map_err(|error| Fault::new(error.pointer().to_owned(), error.code(), error.to_string()));
    }
    strict::read(serde_norway::Deserializer::from_str(text), limits).map_err(|unread| match unread {
        Unread::Strict(error) => Fault::new(error.pointer().to_owned(), error.code(), error.to_string()),
        Unread::Format { pointer, error } => Fault::new(pointer, "yaml_syntax", format!("this is no YAML: {error}")),
    })
}

#[async_trait]
impl PolicyService for Services {
    async fn policies(&self, caller: &Caller, page: &Page) -> Answer<PageOf<PolicyRecord>> {
        caller.require(Right::PoliciesRead)?;
        self.world.policies.policies(page).await.map_err(store_fault)
    }

    async fn policy_in_force(&self, caller: &Caller) -> Answer<PolicyRecord> {
        caller.require(Right::PoliciesRead)?;
        self.in_force().await
    }

    async fn policy(&self, caller: &Caller, version: u32) -> Answer<PolicyRecord> {
        caller.require(Right::PoliciesRead)?;
        let found = self.world.policies.policy(version).await.map_err(store_fault)?;
        found.ok_or(ServiceError::NotFound("version of the policy"))
    }

    async fn check_policy(&self, caller: &Caller, yaml: &str) -> Answer<Policy> {
        caller.require(Right::PoliciesWrite)?;
        read_policy(yaml, self.world.conditions.as_ref()).map_err(ServiceError::Invalid)
    }

    async fn unknown_names(&self, caller: &Caller, policy: &Policy) -> Answer<Vec<String>> {
        caller.require(Right::PoliciesRead)?;
        let mut names = policy.account_names();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        for user in self.world.people.users().await.map_err(store_fault)? {
            names.remove(user.name.as_str());
        }
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    async fn draft_policy(&self, caller: &Caller, yaml: &str) -> Answer<PolicyRecord> {
        let policy = self.check_policy(caller, yaml).await?;
        let new = NewPolicy { policy, yaml: yaml.to_owned(), origin: PolicyOrigin::Console, by: caller.actor.clone() };
        let audit = AuditEntry::by(caller, "policy.draft", "policy", "");
        self.world.policies.draft(new, audit).await.map_err(store_fault)
    }

    async fn simulate_policy(&self, caller: &Caller, version: u32, days: u32) -> Answer<Simulation> {
        let record = PolicyService::policy(self, caller, version).await?;
        self.simulated(&record, days).await
    }

    async fn activate_policy(&self, caller: &Caller, version: u32, why: Option<String>) -> Answer<ActivationAnswer> {
        caller.require(Right::PoliciesWrite)?;
        if let Some(file) = &self.world.settings.policy_file {
            let detail = format!("the policy is kept in the file {file}: change it there and start the console again");
            return Err(ServiceError::Conflict { code: "kept_in_file", detail, differences: Vec::new() });
        }
        let Some(why) = reason::checked(why)? else {
            let message = "say why: the reason goes into the audit trail";
            return Err(ServiceError::Invalid(vec![Fault::new("/reason", code::REQUIRED, message)]));
        };
        let why = "a policy says who must agree before anything runs";
        if let Some(too_long_ago) = self.asks_again(caller, why, "put one in force") {
            return Err(too_long_ago);
        }
        let audit = AuditEntry::by(caller, "policy.activate", "policy", version.to_string());
        let activation = Activation { version, by: caller.actor.clone(), reason: Some(why), need: None };
        match self.world.policies.activate(activation, audit).await.map_err(store_fault)? {
            Activated::Done(record) => {
                let have = u32::try_from(record.agreed.len()).unwrap_or(u32::MAX);
                Ok(ActivationAnswer { record: *record, have, need: have })
            }
            Activated::Waiting { record, have, need } => Ok(ActivationAnswer { record: *record, have, need }),
            Activated::Already { need } => {
                Err(ServiceError::Forbidden(format!("you agreed already; {need} different people are needed")))
            }
            Activated::InForce => Err(ServiceError::Conflict {
                code: "in_force",
                detail: format!("version {version} is in force already"),
                differences: Vec::new(),
            }),
            Activated::Missing => Err(ServiceError::NotFound("version of the policy")),
        }
    }

    fn policy_file(&self) -> Option<String> {
        self.world.settings.policy_file.clone()
    }
}
