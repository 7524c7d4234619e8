//! Who is calling, and what they may do. Deny by default: a right that no role grants is held by nobody but an admin.

use crate::ids::ActorId;
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, str::FromStr};

/// A named set of rights (`api.md`, Roles).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads everything but audit, accounts, tokens, policies and notifications.
    Viewer,
    /// A viewer who decides, cancels, proposes by hand and has incidents investigated.
    Operator,
    /// A viewer who registers playbooks.
    Author,
    /// A viewer who reads audit, accounts, tokens, policies and notifications.
    Auditor,
    /// Everything.
    Admin,
    /// Tokens only: the catalog as a model sees it, and recommendations in.
    Propose,
    /// Tokens only: signals in, nothing else.
    Ingest,
}

/// One thing that can be allowed. Each route declares the one it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Right {
    /// See the catalog as a model sees it: no hidden parameter, no internal step.
    CatalogSearch,
    /// See all of the catalog.
    CatalogRead,
    /// Register, validate, change the status of playbooks.
    CatalogWrite,
    /// Hand in a recommendation.
    Propose,
    /// See recommendations and their tickets.
    RecommendationsRead,
    /// Make tickets and decide.
    Decide,
    /// See executions, logs, action records, effectiveness, live events.
    RunsRead,
    /// Cancel a run.
    RunsControl,
    /// Read the audit trail.
    AuditRead,
    /// Set and release the legal hold on it.
    AuditHold,
    /// See accounts and tokens.
    AccountsRead,
    /// Change accounts and tokens.
    AccountsWrite,
    /// See approval policies, and try what they would change.
    PoliciesRead,
    /// Write approval policies and put them in force.
    PoliciesWrite,
    /// See receivers of notifications, what waits for them and what they did not take.
    NotificationsRead,
    /// Deliver notifications again, discard them, send tests.
    NotificationsWrite,
    /// Hand in signals.
    Ingest,
    /// Have an incident investigated.
    Investigate,
}

impl Right {
    /// Every right there is.
    pub const ALL: [Self; 18] = [
        Self::CatalogSearch,
        Self::CatalogRead,
        Self::CatalogWrite,
        Self::Propose,
        Self::RecommendationsRead,
        Self::Decide,
        Self::RunsRead,
        Self::RunsControl,
        Self::AuditRead,
        Self::AuditHold,
        Self::AccountsRead,
        Self::AccountsWrite,
        Self::PoliciesRead,
        Self::PoliciesWrite,
        Self::NotificationsRead,
        Self::NotificationsWrite,
        Self::Ingest,
        Self::Investigate,
    ];

    /// The name that a refusal tells the caller.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CatalogSearch => "catalog:search",
            Self::CatalogRead => "catalog:read",
            Self::CatalogWrite => "catalog:write",
            Self::Propose => "recommendations:propose",
            Self::RecommendationsRead => "recommendations:read",
            Self::Decide => "recommendations:decide",
            Self::RunsRead => "runs:read",
            Self::RunsControl => "runs:control",
            Self::AuditRead => "audit:read",
            Self::AuditHold => "audit:hold",
            Self::AccountsRead => "accounts:read",
            Self::AccountsWrite => "accounts:write",
            Self::PoliciesRead => "policies:read",
            Self::PoliciesWrite => "policies:write",
            Self::NotificationsRead => "notifications:read",
            Self::NotificationsWrite => "notifications:write",
            Self::Ingest => "signals:ingest",
            Self::Investigate => "incidents:investigate",
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Role {
    /// Every role there is.
    pub const ALL: [Self; 7] =
        [Self::Viewer, Self::Operator, Self::Author, Self::Auditor, Self::Admin, Self::Propose, Self::Ingest];

    /// The name on the wire and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Author => "author",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::Propose => "propose",
            Self::Ingest => "ingest",
        }
    }

    /// Roles that only a token can have: an identity of a machine, which proposes and never decides.
    pub const fn tokens_only(self) -> bool {
        matches!(self, Self::Propose | Self::Ingest)
    }

    /// Whether this role grants the right.
    pub const fn grants(self, right: Right) -> bool {
        use Right as R;
        let viewer = matches!(right, R::CatalogSearch | R::CatalogRead | R::RecommendationsRead | R::RunsRead);
        match self {
            Self::Viewer => viewer,
            Self::Operator => viewer || matches!(right, R::Decide | R::RunsControl | R::Propose | R::Investigate),
            Self::Author => viewer || matches!(right, R::CatalogWrite),
            Self::Auditor => {
                viewer || matches!(right, R::AuditRead | R::AccountsRead | R::PoliciesRead | R::NotificationsRead)
            }
            Self::Admin => true,
            Self::Propose => matches!(right, R::CatalogSearch | R::Propose),
            Self::Ingest => matches!(right, R::Ingest),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no role; use viewer, operator, author, auditor or admin, and for tokens also propose or ingest")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// Whoever does something: a person, a token or the console itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Actor {
    /// Stable id, `user:…`, `token:…`, `system:…` or `cluster:…`.
    pub id: ActorId,
    /// Name for people.
    pub name: String,
    /// The person whose token it is; none for people themselves, and for tokens that are nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<ActorId>,
}

impl Actor {
    /// Somebody who acts for nobody else.
    pub fn new(id: ActorId, name: impl Into<String>) -> Self {
        Self { id, name: name.into(), owner: None }
    }

    /// The person behind it, where there is one: the owner of a token, else itself.
    pub fn person(&self) -> &ActorId {
        self.owner.as_ref().unwrap_or(&self.id)
    }

    /// Whoever applied something to the cluster: who that was, the cluster does not tell.
    pub fn cluster() -> Self {
        Self::system("cluster")
    }

    /// Whether it came by way of the cluster.
    pub fn is_cluster(&self) -> bool {
        self.id.as_str() == "system:cluster"
    }

    /// This version of a policy, which let something run without anybody.
    pub fn policy(name: &str, version: u32) -> Self {
        Self::new(ActorId::new("system:policy"), format!("policy {name} v{version}"))
    }

    /// Whether it is a policy.
    pub fn is_policy(&self) -> bool {
        self.id.as_str() == "system:policy"
    }

    /// The console acting by itself, for example a reconciler or the demo scene.
    pub fn system(part: &str) -> Self {
        Self::new(ActorId::new(format!("system:{part}")), part)
    }
}

/// The door by which an act comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// A page and its forms.
    Page,
    /// The API for programs.
    Api,
    /// The command line.
    Cli,
    /// An object that was applied to the cluster.
    Cluster,
    /// None: the console acts by itself.
    #[default]
    Console,
}

impl Door {
    /// Every door there is.
    pub const ALL: [Self; 5] = [Self::Page, Self::Api, Self::Cli, Self::Cluster, Self::Console];

    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Api => "api",
            Self::Cli => "cli",
            Self::Cluster => "cluster",
            Self::Console => "console",
        }
    }

    /// The door of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|door| door.name() == name)
    }
}

/// The way by which an act comes in: the door, and who stands before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// The door.
    pub door: Door,
    /// The address that the request came from: the other end of the connection, or whom a trusted proxy names there; none where there is no
    /// connection.
    pub address: Option<IpAddr>,
}

impl Way {
    /// By this door, without a connection.
    pub const fn by(door: Door) -> Self {
        Self { door, address: None }
    }
}

/// By which way somebody proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    /// With the console's own password.
    Password,
    /// At an identity provider (OpenID Connect).
    Oidc,
}

impl SignInMethod {
    /// The word in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Oidc => "oidc",
        }
    }

    /// The way of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Password, Self::Oidc].into_iter().find(|method| method.name() == name)
    }
}

/// The session by which a person's request came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerSession {
    /// Its id, `session:…`.
    pub id: String,
    /// By which way they last proved who they are.
    pub method: SignInMethod,
    /// How long ago that was when the request came, milliseconds, by the database's clock.
    pub authenticated_ms_ago: i64,
}

/// An authenticated caller with the request they came by. Doors make it; services demand it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// Their roles at this request.
    pub roles: Vec<Role>,
    /// The request, for the audit trail and error pages.
    pub request_id: String,
    /// The route, for the audit trail: `POST /api/v1/playbooks`.
    pub route: String,
    /// The way they came, for the audit trail.
    pub way: Way,
    /// The session by which they came; none for tokens and for the console's own parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<CallerSession>,
}

/// The caller lacks a right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this needs the right {right}, which {roles} does not include; ask an admin for it")]
pub struct Denied {
    /// The missing right.
    pub right: Right,
    /// The roles that the caller has, for people.
    pub roles: String,
}

impl Caller {
    /// Whether any of the caller's roles grants the right.
    pub fn may(&self, right: Right) -> bool {
        self.roles.iter().any(|role| role.grants(right))
    }

    /// The right, or the refusal that says which one is missing.
    pub fn require(&self, right: Right) -> Result<(), Denied> {
        if self.may(right) {
            return Ok(());
        }
        Err(Denied { right, roles: self.roles_in_words() })
    }

    /// The caller's roles for people: `operator, author`.
    pub fn roles_in_words(&self) -> String {
        let roles = self.roles.iter().map(|r| r.name()).collect::<Vec<_>>().join(", ");
        if roles.is_empty() { "no role".into() } else { roles }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_identity_can_only_propose_and_search() {
        let held: Vec<_> = Right::ALL.into_iter().filter(|r| Role::Propose.grants(*r)).collect();
        assert_eq!(held, [Right::CatalogSearch, Right::Propose]);
        let held: Vec<_> = Right::ALL.into_iter().filter(|r| Role::Ingest.grants(*r)).collect();
        assert_eq!(held, [Right::Ingest]);
    }

    #[test]
    fn nobody_but_an_admin_writes_accounts_and_policies_and_everyone_needs_a_role() {
        for role in Role::ALL {
            assert_eq!(role.grants(Right::AccountsWrite), role == Role::Admin);
            assert_eq!(role.grants(Right::PoliciesWrite), role == Role::Admin);
            assert_eq!(role.grants(Right::NotificationsWrite), role == Role::Admin);
            assert_eq!(role.grants(Right::AuditHold), role == Role::Admin);
        }
        let caller = Caller {
            actor: Actor::system("x"),
            roles: vec![],
            request_id: String::new(),
            route: String::new(),
            way: Way::default(),
            session: None,
        };
        assert!(Right::ALL.iter().all(|r| !caller.may(*r)));
        assert!(caller.require(Right::Decide).unwrap_err().to_string().contains("recommendations:decide"));
    }

    #[test]
    fn what_comes_by_way_of_the_cluster_is_known_by_its_actor() {
        assert!(Actor::cluster().is_cluster());
        assert!(!Actor::new(ActorId::new("user:cluster"), "cluster").is_cluster());
    }

    #[test]
    fn door_names_round_trip() {
        for door in Door::ALL {
            assert_eq!(Door::from_name(door.name()), Some(door));
            assert_eq!(serde_json::to_value(door).unwrap(), door.name());
        }
        assert_eq!(Door::from_name("window"), None);
    }

    #[test]
    fn role_names_round_trip() {
        for role in Role::ALL {
            assert_eq!(role.name().parse::<Role>().unwrap(), role);
        }
        assert!("root".parse::<Role>().is_err());
    }
}
