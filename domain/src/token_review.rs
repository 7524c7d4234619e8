//! Who of the cluster may call the console with their Kubernetes token, and as what. Pure: whose a token is, the cluster tells.

use crate::{
    identity::{Actor, Right, Role},
    ids::ActorId,
    ports::ClusterUser,
};
use std::{fmt, str::FromStr};

/// What the user names of service accounts begin with.
const ACCOUNT: &str = "system:serviceaccount:";

/// Which role a service account, or a group, of the cluster has here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterRoles(Vec<(String, Role)>);

/// A mapping that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMapping {
    /// It has no equals sign, or nothing on one side of it.
    #[error("\"{0}\" maps nothing: write system:serviceaccount:NAMESPACE:NAME=ROLE, or GROUP=ROLE")]
    Form(String),
    /// The role is none.
    #[error("\"{0}\" is no role here: write viewer, author, auditor, propose or ingest")]
    Role(String),
    /// The role decides.
    #[error("{0} decides, and what decides belongs to a person: write viewer, author, auditor, propose or ingest")]
    Decides(Role),
}

impl ClusterRoles {
    /// Whether nobody of the cluster has a role.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The role of this user: that of the account itself, else of the first group in the mapping that they are in.
    pub fn of(&self, user: &ClusterUser) -> Option<Role> {
        let by_name = self.0.iter().find(|(subject, _)| subject.starts_with(ACCOUNT) && *subject == user.username);
        let in_group = |subject: &String| !subject.starts_with(ACCOUNT) && user.groups.contains(subject);
        by_name.or_else(|| self.0.iter().find(|(subject, _)| in_group(subject))).map(|(_, role)| *role)
    }
}

impl FromStr for ClusterRoles {
    type Err = BadMapping;

    /// Mappings with commas or line breaks between them.
    fn from_str(text: &str) -> Result<Self, BadMapping> {
        let each = text.split([',', '\n']).map(str::trim).filter(|one| !one.is_empty() && !one.starts_with('#'));
        each.map(mapping).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for ClusterRoles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        let each: Vec<String> = self.0.iter().map(|(subject, role)| format!("{subject}={role}")).collect();
        f.write_str(&each.join(", "))
    }
}

fn mapping(text: &str) -> Result<(String, Role), BadMapping> {
    let parts = text.split_once('=').map(|(subject, role)| (subject.trim(), role.trim()));
    let (subject, role) = parts
        .filter(|(subject, role)| !subject.is_empty() && !role.is_empty())
        .ok_or_else(|| BadMapping::Form(text.to_owned()))?;
    let role = role.parse::<Role>().map_err(|_| BadMapping::Role(role.to_owned()))?;
    if role.grants(Right::Decide) || role == Role::Admin {
        return Err(BadMapping::Decides(role));
    }
    Ok((subject.to_owned(), role))
}

/// A user of the cluster as an actor. Their name says where they are from, for the cluster may call somebody as an account here is called.
pub fn actor(user: &ClusterUser) -> Actor {
    Actor::new(ActorId::new(format!("cluster:{}", user.username)), crate::accounts::of_cluster(&user.username))
}

/// Whether a bearer's text can be a token of a cluster: a JSON Web Token (RFC 7519) in its compact form. Tokens of the console are none.
pub fn is_jwt(text: &str) -> bool {
    let part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    text.len() <= MAX_TOKEN && text.starts_with("eyJ") && text.split('.').count() == 3 && text.split('.').all(part)
}

/// The longest token that anybody is asked about, bytes.
const MAX_TOKEN: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, groups: &[&str]) -> ClusterUser {
        ClusterUser { username: name.into(), groups: groups.iter().map(|group| (*group).to_owned()).collect() }
    }

    #[test]
    fn the_account_itself_goes_before_its_groups_and_strangers_have_none() {
        let text = "# agents\nsystem:serviceaccounts:ai=propose, system:serviceaccount:ai:watch=viewer\nsre = auditor";
        let roles: ClusterRoles = text.parse().unwrap();
        let agent = user("system:serviceaccount:ai:agent", &["system:serviceaccounts", "system:serviceaccounts:ai"]);
        let watch = user("system:serviceaccount:ai:watch", &["system:serviceaccounts:ai"]);
        assert_eq!(roles.of(&agent), Some(Role::Propose));
        assert_eq!(roles.of(&watch), Some(Role::Viewer));
        assert_eq!(roles.of(&user("mara", &["sre"])), Some(Role::Auditor));
        assert_eq!(roles.of(&user("sre", &[])), None, "a user called like a group is not in it");
        let odd = user("eve", &["system:serviceaccount:ai:watch"]);
        assert_eq!(roles.of(&odd), None, "a group called like an account is not that account");
        assert_eq!(roles.of(&user("system:serviceaccount:ai:watch2", &[])), None);
        assert_eq!(roles.to_string().parse::<ClusterRoles>(), Ok(roles));
        assert!(ClusterRoles::default().is_empty());
    }

    #[test]
    fn what_decides_belongs_to_a_person() {
        for role in [Role::Operator, Role::Admin] {
            assert_eq!(format!("sre={role}").parse::<ClusterRoles>(), Err(BadMapping::Decides(role)));
        }
        for role in Role::ALL.into_iter().filter(|role| role.grants(Right::Decide)) {
            assert!(format!("sre={role}").parse::<ClusterRoles>().is_err(), "{role}");
        }
        assert_eq!("sre=root".parse::<ClusterRoles>(), Err(BadMapping::Role("root".into())));
        for odd in ["sre", "=viewer", "sre="] {
            assert_eq!(odd.parse::<ClusterRoles>(), Err(BadMapping::Form(odd.into())));
        }
    }

    #[test]
    fn a_user_of_the_cluster_is_never_taken_for_an_account() {
        let actor = actor(&user("mara", &[]));
        assert_eq!((actor.id.as_str(), actor.name.as_str()), ("cluster:mara", "mara (cluster)"));
        assert!(
            crate::accounts::check_name(&actor.name).is_err() && crate::accounts::check_name("cluster:mara").is_err()
        );
        assert!(!actor.is_cluster(), "that is whoever applies objects");
    }

    #[test]
    fn a_token_of_a_cluster_is_told_from_one_of_the_console() {
        assert!(is_jwt("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln_-"));
        for other in ["kbn_00", "eyJ.x", "eyJ..x", "eyJa.b.c.d", "abc.def.ghi", "eyJa.b!.c", ""] {
            assert!(!is_jwt(other), "{other}");
        }
        assert!(!is_jwt(&format!("eyJ{}.b.c", "a".repeat(MAX_TOKEN))));
    }
}
