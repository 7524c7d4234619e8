//! Playbook versions and their lifecycle.

use super::StoreError;
use crate::{
    audit::AuditEntry,
    identity::Actor,
    json::canonical,
    paging::{Page, PageOf},
    playbook::{ImageRef, PlaybookId, Registration, Version},
    search::CatalogHit,
    signature::ImageSignature,
    time::Timestamp,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Where a version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PlaybookStatus {
    /// Can be recommended and run.
    Active,
    /// Can't run.
    Disabled,
    /// Runs where it is asked for by version; never the newest active one.
    Deprecated,
}

impl PlaybookStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Disabled, Self::Deprecated];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Deprecated => "deprecated",
        }
    }

    /// The status of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// A registration to be stored.
#[derive(Clone, Debug)]
pub struct NewPlaybook {
    /// What was registered.
    pub registration: Registration,
    /// The image by digest, pinned at registration.
    pub image: ImageRef,
    /// Who signed the image, as it was found out just now.
    pub signature: ImageSignature,
    /// Under which settings; none where nobody looks at signatures.
    pub trust: Option<String>,
    /// By whom.
    pub by: Actor,
}

/// A stored version. It never changes but for its status, and for what is known of its image's signature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaybookRecord {
    /// What was registered.
    pub registration: Registration,
    /// The image by digest.
    pub image: ImageRef,
    /// Who signed the image.
    pub signature: ImageSignature,
    /// Where it stands.
    pub status: PlaybookStatus,
    /// Why it stands there, as a person said.
    pub status_reason: Option<String>,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// By whom.
    pub registered_by: Actor,
}

impl PlaybookRecord {
    /// Names this state of the version: another status, another tag.
    pub fn tag(&self) -> String {
        // Without the time and the name of who registered, which do not change, and without when the image was last looked at.
        let signature = ImageSignature { checked_at: None, ..self.signature.clone() };
        let state = serde_json::json!({
            "registration": self.registration, "image": self.image, "signature": signature,
            "status": self.status, "status_reason": self.status_reason,
        });
        hex::encode(&Sha256::digest(canonical::to_string(&state))[..16])
    }
}

/// Which states of a thing somebody knows who is about to change it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// They did not say: any will do.
    #[default]
    Any,
    /// Those with one of these tags.
    Tags(Vec<String>),
}

impl Known {
    /// Whether the state of that tag is among them.
    pub fn includes(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|t| t == tag),
        }
    }
}

/// A change of a version's status.
#[derive(Clone, Debug)]
pub struct StatusChange {
    /// Where it is to stand.
    pub status: PlaybookStatus,
    /// Why.
    pub reason: Option<String>,
    /// From which states.
    pub known: Known,
}

impl StatusChange {
    /// From whatever state.
    pub fn to(status: PlaybookStatus, reason: Option<String>) -> Self {
        Self { status, reason, known: Known::Any }
    }
}

/// What became of a change of status.
#[derive(Clone, Debug, PartialEq)]
pub enum StatusChanged {
    /// It stands so now.
    Done(Box<PlaybookRecord>),
    /// Its state is none of the known ones; nothing was changed.
    Moved(Box<PlaybookRecord>),
    /// There is no such version.
    Missing,
}

/// A RemediationWorkflow whose version the catalog has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogObject {
    /// Its name in the console's namespace.
    pub name: String,
    /// The playbook.
    pub id: PlaybookId,
    /// The version.
    pub version: Version,
}

/// What became of a registration.
#[derive(Clone, Debug)]
pub enum Registered {
    /// New.
    Created(Box<PlaybookRecord>),
    /// The very same was there already.
    Same(Box<PlaybookRecord>),
    /// The same id and version with another content; nothing was stored.
    Different(Box<PlaybookRecord>),
}

/// Which playbooks (`api.md`, `GET /api/v1/playbooks`). A label filter matches the label itself and `*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogFilter {
    /// What is looked for in id, title, description, labels and tags, in words; and for its meaning.
    pub q: Option<String>,
    /// The label `signal_type`.
    pub signal_type: Option<String>,
    /// The label `severity`.
    pub severity: Option<String>,
    /// The label `component`.
    pub component: Option<String>,
    /// The label `environment`.
    pub environment: Option<String>,
    /// The label `priority`.
    pub priority: Option<String>,
    /// The label `risk_tolerance`.
    pub risk_tolerance: Option<String>,
    /// The label `business_category`.
    pub business_category: Option<String>,
    /// The label `category`.
    pub category: Option<String>,
    /// All of these tags.
    pub tags: Vec<String>,
    /// Only this status; `None` for any. Lists show the newest version that has it.
    pub status: Option<PlaybookStatus>,
}

impl CatalogFilter {
    /// The labels that it asks for, by name.
    pub fn labels(&self) -> [(&'static str, Option<&str>); 8] {
        [
            ("signal_type", self.signal_type.as_deref()),
            ("severity", self.severity.as_deref()),
            ("component", self.component.as_deref()),
            ("environment", self.environment.as_deref()),
            ("priority", self.priority.as_deref()),
            ("risk_tolerance", self.risk_tolerance.as_deref()),
            ("business_category", self.business_category.as_deref()),
            ("category", self.category.as_deref()),
        ]
    }

    /// Whether it asks for any.
    pub fn has_labels(&self) -> bool {
        self.labels().iter().any(|(_, wanted)| wanted.is_some())
    }
}

/// What the catalog can be narrowed down by, with the values that it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facet {
    /// The filter: a label's name, `status` or `tag`.
    pub name: String,
    /// Its values, the most frequent first; not all where there are many.
    pub values: Vec<FacetValue>,
}

/// A value of a facet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetValue {
    /// The value.
    pub value: String,
    /// How many playbooks would be left.
    pub count: i64,
}

/// The catalog.
#[async_trait]
pub trait CatalogStore: Send + Sync {
    /// Stores a version unless id and version are taken; audit row and event in the same transaction.
    async fn register(&self, playbook: NewPlaybook, audit: AuditEntry) -> Result<Registered, StoreError>;
    /// One version.
    async fn version(&self, id: &PlaybookId, version: &Version) -> Result<Option<PlaybookRecord>, StoreError>;
    /// All versions of a playbook, newest first by SemVer.
    async fn versions(&self, id: &PlaybookId) -> Result<Vec<PlaybookRecord>, StoreError>;
    /// A page of them, in the same order.
    async fn version_page(&self, id: &PlaybookId, page: &Page) -> Result<PageOf<PlaybookRecord>, StoreError>;
    /// The newest active version by SemVer.
    async fn newest_active(&self, id: &PlaybookId) -> Result<Option<PlaybookRecord>, StoreError>;
    /// The newest version of each playbook that the filter matches, by id; where it asks for labels, the more exact ones first. Words
    /// only narrow it down: [`Self::by_text`] puts the best first.
    async fn search(&self, filter: &CatalogFilter, page: &Page) -> Result<PageOf<PlaybookRecord>, StoreError>;
    /// The newest version of each playbook that the filter matches and that has its words: all of them, or any of them where none has
    /// all. The more exact labels first, then the best. Nothing without words.
    async fn by_text(&self, filter: &CatalogFilter, most: usize) -> Result<Vec<CatalogHit>, StoreError>;
    /// Of these versions, or of all, those that a list by the filter could show, whatever its words; in no order, at most `most`.
    async fn admitted(
        &self,
        filter: &CatalogFilter,
        of: Option<&[(PlaybookId, Version)]>,
        most: usize,
    ) -> Result<Vec<CatalogHit>, StoreError>;
    /// These versions, in this order; those that are not there are left out.
    async fn records(&self, of: &[(PlaybookId, Version)]) -> Result<Vec<PlaybookRecord>, StoreError>;
    /// What the playbooks that the filter matches can be narrowed down by. Each facet counts as if it were not filtered itself.
    async fn facets(&self, filter: &CatalogFilter) -> Result<Vec<Facet>, StoreError>;
    /// Remembers that an object of this cluster has a version.
    async fn keep_object(&self, cluster: &str, object: &CatalogObject) -> Result<(), StoreError>;
    /// What is remembered of the objects of this cluster, by name.
    async fn objects(&self, cluster: &str) -> Result<Vec<CatalogObject>, StoreError>;
    /// What is remembered of one.
    async fn object(&self, cluster: &str, name: &str) -> Result<Option<CatalogObject>, StoreError>;
    /// Forgets an object that is gone.
    async fn forget_object(&self, cluster: &str, name: &str) -> Result<(), StoreError>;
    /// Sets the status if the version is in a known state: both under its lock. The audit row's `before` is filled in.
    async fn set_status(
        &self,
        id: &PlaybookId,
        version: &Version,
        change: StatusChange,
        audit: AuditEntry,
    ) -> Result<StatusChanged, StoreError>;
}
