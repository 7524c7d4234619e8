//! Approval policies: every version that was written, and the one in force.

use super::StoreError;
use crate::{
    audit::AuditEntry,
    identity::Actor,
    ids::Digest,
    paging::{Page, PageOf},
    policy::Policy,
    time::Timestamp,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Where a version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PolicyState {
    /// Written, never in force.
    Draft,
    /// In force; one version always is.
    Active,
    /// Was in force.
    Retired,
}

impl PolicyState {
    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Draft, Self::Active, Self::Retired].into_iter().find(|state| state.name() == name)
    }
}

/// By which way a version came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PolicyOrigin {
    /// It came with the console.
    BuiltIn,
    /// Somebody wrote it in the console.
    Console,
    /// It is the file that the console was started with.
    File,
}

impl PolicyOrigin {
    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BuiltIn => "built_in",
            Self::Console => "console",
            Self::File => "file",
        }
    }

    /// The origin of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::BuiltIn, Self::Console, Self::File].into_iter().find(|origin| origin.name() == name)
    }
}

/// A version to be stored.
#[derive(Clone, Debug)]
pub struct NewPolicy {
    /// What it says.
    pub policy: Policy,
    /// As it was written.
    pub yaml: String,
    /// By which way it came.
    pub origin: PolicyOrigin,
    /// By whom.
    pub by: Actor,
}

/// A version of the policy. It never changes but for its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyRecord {
    /// Counted from 1.
    pub version: u32,
    /// Where it stands.
    pub state: PolicyState,
    /// By which way it came.
    pub origin: PolicyOrigin,
    /// What it says.
    pub policy: Policy,
    /// As it was written.
    pub yaml: String,
    /// SHA-256 of that text.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub digest: Digest,
    /// Who wrote it.
    pub made_by: Actor,
    /// When.
    pub made_at: Timestamp,
    /// Who agrees to put it in force in place of the one that is; of that one, who did.
    pub agreed: Vec<Actor>,
    /// When it was put in force last.
    pub activated_at: Option<Timestamp>,
    /// When another one took its place.
    pub retired_at: Option<Timestamp>,
}

/// Somebody agrees that a version is put in force.
#[derive(Clone, Debug)]
pub struct Activation {
    /// Which.
    pub version: u32,
    /// Who.
    pub by: Actor,
    /// Why.
    pub reason: Option<String>,
    /// How many must agree, whatever the policy in force says: the file that the console is started with needs nobody.
    pub need: Option<u32>,
}

/// What an activation came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Activated {
    /// It is in force now.
    Done(Box<PolicyRecord>),
    /// Noted; more people must agree.
    Waiting {
        /// The version.
        record: Box<PolicyRecord>,
        /// How many agree.
        have: u32,
        /// How many must.
        need: u32,
    },
    /// They have agreed already.
    Already {
        /// How many must.
        need: u32,
    },
    /// It is in force already.
    InForce,
    /// There is no such version.
    Missing,
}

/// Approval policies.
#[async_trait]
pub trait PolicyStore: Send + Sync {
    /// The version in force; one always is.
    async fn active(&self) -> Result<PolicyRecord, StoreError>;
    /// One version.
    async fn policy(&self, version: u32) -> Result<Option<PolicyRecord>, StoreError>;
    /// A page of versions, newest first.
    async fn policies(&self, page: &Page) -> Result<PageOf<PolicyRecord>, StoreError>;
    /// Stores a version as a draft, with its audit row; the object's id is filled in.
    async fn draft(&self, new: NewPolicy, audit: AuditEntry) -> Result<PolicyRecord, StoreError>;
    /// Notes that somebody agrees, and puts the version in force once as many distinct people do as the policy in force asks
    /// for: all in one transaction, with its audit row, whose action, `before` and `after` are filled in. What was agreed to
    /// under one policy does not count under another.
    async fn activate(&self, activation: Activation, audit: AuditEntry) -> Result<Activated, StoreError>;
}
