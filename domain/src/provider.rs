//! People who sign in at a provider (OpenID Connect): what of its claims makes a person here, what their groups let them do,
//! and when they are not let in. Whether the claims are true was found out before; this knows no wire and no store.

use crate::{
    accounts::check_name,
    fault::{Complaint, code},
    identity::Role,
    ports::UserRecord,
    text::check_line,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The most groups of a person that are looked at.
pub const MAX_GROUPS: usize = 1000;
/// The most characters of a group's name.
pub const MAX_GROUP: usize = 256;
/// The most characters of a subject (OpenID Connect Core 1.0, section 2).
pub const MAX_SUBJECT: usize = 255;
/// In place of a group: everybody whom the provider lets in.
pub const EVERYBODY: &str = "*";
/// Groups that a sentence names; of more only the number is said.
const NAMED: usize = 8;

/// Where an account comes from that is none of the console's own. Issuer and subject are the person; the name may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FederatedIdentity {
    /// The provider.
    pub issuer: String,
    /// Who it is there, for ever.
    pub subject: String,
    /// Their groups as of the last sign-in, with the prefix.
    pub groups: Vec<String>,
}

/// How the provider's claims are read. One provider at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The provider.
    pub issuer: String,
    /// Its name for people.
    pub provider: String,
    /// The claim that names a person.
    pub username_claim: String,
    /// What stands before each name.
    pub username_prefix: String,
    /// The claim that lists groups.
    pub groups_claim: String,
    /// What stands before each group.
    pub groups_prefix: String,
    /// Groups (with their prefix, or [`EVERYBODY`]) and the role that each gives; a group may stand here more than once.
    pub roles: Vec<(String, Role)>,
}

/// A person as the provider's claims describe them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name here, with its prefix.
    pub name: String,
    /// Who they are there.
    pub from: FederatedIdentity,
}

/// Claims that make no person. The message is for whoever signs in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimFault {
    /// No usable subject.
    #[error("it did not say who you are: the claim sub is missing or too long")]
    Subject,
    /// The claim that names people is not there.
    #[error(
        "it sent no claim {0}, which is to name you; an administrator can choose another with --oidc-username-claim"
    )]
    NoName(String),
    /// A name that no account may have.
    #[error("its claim {claim} can't name an account here: {why}")]
    BadName {
        /// Which claim.
        claim: String,
        /// Why not.
        why: String,
    },
    /// An address that anybody may have typed.
    #[error(
        "it does not say that it has verified your e-mail address (email_verified), and you are known by that here; an \
         administrator can choose another claim with --oidc-username-claim"
    )]
    Unverified,
    /// Something else than groups.
    #[error("its claim {0} is no list of groups")]
    BadGroups(String),
    /// More than are looked at, or the provider left them out because there are so many.
    #[error("you are in more groups there than it or the console lists; let an administrator have it send fewer")]
    TooMany,
}

impl Rules {
    /// The person of these claims.
    pub fn person(&self, claims: &Map<String, Value>) -> Result<Person, ClaimFault> {
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        if subject.is_empty() || subject.chars().nth(MAX_SUBJECT).is_some() {
            return Err(ClaimFault::Subject);
        }
        let from = FederatedIdentity { issuer: self.issuer.clone(), subject: subject.to_owned(), groups: self.groups(claims)? };
        Ok(Person { name: self.name(claims)?, from })
    }

    fn name(&self, claims: &Map<String, Value>) -> Result<String, ClaimFault> {
        let claim = &self.username_claim;
        let said = claims.get(claim).and_then(Value::as_str).filter(|said| !said.is_empty());
        let said = said.ok_or_else(|| ClaimFault::NoName(claim.clone()))?;
        // Whose address nobody has verified may have typed anybody's (OpenID Connect Core 1.0, 5.1 and 5.7).
        if claim == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
            return Err(ClaimFault::Unverified);
        }
        let name = format!("{}{said}", self.username_prefix);
        match check_name(&name) {
            Ok(()) => Ok(name),
            Err(complaint) => Err(ClaimFault::BadName { claim: claim.clone(), why: complaint.message }),
        }
    }

    /// Each once, with the prefix; none where the claim is not there.
    fn groups(&self, claims: &Map<String, Value>) -> Result<Vec<String>, ClaimFault> {
        let claim = &self.groups_claim;
        let bad = || ClaimFault::BadGroups(claim.clone());
        let said: Vec<&str> = match claims.get(claim) {
            // Of too many groups some providers only say where they could be asked for (OpenID Connect Core 1.0, 5.6.2).
            None if claims.get("_claim_names").is_some_and(|names| names.get(claim).is_some()) => {
                return Err(ClaimFault::TooMany);
            }
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(all)) => all.iter().map(Value::as_str).collect::<Option<_>>().ok_or_else(bad)?,
            Some(_) => return Err(bad()),
        };
        if said.len() > MAX_GROUPS {
            return Err(ClaimFault::TooMany);
        }
        let mut groups: Vec<String> = Vec::new();
        for group in said {
            let group = format!("{}{group}", self.groups_prefix);
            check_group(&group).map_err(|_| bad())?;
            groups.push(group);
        }
        groups.sort_unstable();
        groups.dedup();
        Ok(groups)
    }

    /// What these groups let somebody do.
    pub fn roles_of(&self, groups: &[String]) -> Vec<Role> {
        let mut roles: Vec<Role> = Vec::new();
        for (group, role) in &self.roles {
            if (group == EVERYBODY || groups.contains(group)) && !roles.contains(role) {
                roles.push(*role);
            }
        }
        roles
    }

    /// What an account may by now: nothing when it comes from another provider, or a group of it is blocked.
    pub fn roles(&self, from: &FederatedIdentity, blocked: &[String]) -> Vec<Role> {
        let shut = from.issuer != self.issuer || from.groups.iter().any(|group| blocked.contains(group));
        if shut { Vec::new() } else { self.roles_of(&from.groups) }
    }
}

/// A group's name: one visible line.
pub fn check_group(group: &str) -> Result<(), Complaint> {
    if group.trim().is_empty() {
        return Err(Complaint::new(code::REQUIRED, "name a group"));
    }
    if group.chars().nth(MAX_GROUP).is_some() {
        return Err(Complaint::new(code::TOO_LONG, format!("a group's name has at most {MAX_GROUP} characters")));
    }
    check_line(group)
}

/// Why somebody whom the provider knows is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Their account here is disabled.
    Disabled,
    /// These of their groups are blocked here.
    Blocked(Vec<String>),
    /// None of their groups gives a role.
    NoRole,
    /// Their name belongs to another account.
    NameTaken(String),
}

impl Refusal {
    /// A stable word for the audit trail.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Blocked(_) => "group_blocked",
            Self::NoRole => "no_role",
            Self::NameTaken(_) => "name_taken",
        }
    }

    /// What somebody is told who has these groups at this provider.
    pub fn in_words(&self, provider: &str, groups: &[String]) -> String {
        match self {
            Self::Disabled => "Your account is disabled here. Ask an administrator.".into(),
            Self::Blocked(blocked) => format!("Blocked here: {}. Ask an administrator.", listed(blocked)),
            Self::NoRole if groups.is_empty() => {
                format!("{provider} names no group of yours, so no role is given to you here. Ask an administrator.")
            }
            Self::NoRole => format!(
                "None of your groups at {provider} is given a role here: {}. Ask an administrator to give one of them a role.",
                listed(groups)
            ),
            Self::NameTaken(name) => format!(
                "The name {name} belongs to another account here. Ask an administrator: either that account is disabled, \
                 or people of {provider} get a prefix (--oidc-username-prefix)."
            ),
        }
    }
}

/// Whether a person of the provider is let in. `roles` is what their groups give, `known` their account, if they have one.
pub fn admitted(
    person: &Person,
    roles: &[Role],
    known: Option<&UserRecord>,
    blocked: &[String],
) -> Result<(), Refusal> {
    if known.is_some_and(|user| user.disabled) {
        return Err(Refusal::Disabled);
    }
    let shut: Vec<String> = person.from.groups.iter().filter(|group| blocked.contains(group)).cloned().collect();
    if !shut.is_empty() {
        return Err(Refusal::Blocked(shut));
    }
    if roles.is_empty() { Err(Refusal::NoRole) } else { Ok(()) }
}

fn listed(groups: &[String]) -> String {
    let named = groups.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match groups.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use serde_json::json;

    const ISSUER: &str = "https://sso.example";

    fn rules() -> Rules {
        Rules {
            issuer: ISSUER.into(),
            provider: "Example".into(),
            username_claim: "preferred_username".into(),
            username_prefix: String::new(),
            groups_claim: "groups".into(),
            groups_prefix: String::new(),
            roles: vec![
                ("oncall".into(), Role::Operator),
                ("authors".into(), Role::Author),
                ("oncall".into(), Role::Viewer),
            ],
        }
    }

    fn person(rules: &Rules, claims: &Value) -> Result<Person, ClaimFault> {
        rules.person(claims.as_object().unwrap())
    }

    #[test]
    fn claims_become_a_person_with_prefixes() {
        let rules = Rules { username_prefix: "sso:".into(), groups_prefix: "sso/".into(), ..rules() };
        let claims = json!({ "sub": "42", "preferred_username": "mara", "groups": ["b", "a", "b"], "name": "Mara" });
        let person = person(&rules, &claims).unwrap();
        assert_eq!((person.name.as_str(), person.from.subject.as_str()), ("sso:mara", "42"));
        assert_eq!(person.from.groups, ["sso/a", "sso/b"], "each once, in order");
        assert_eq!(person.from.issuer, ISSUER);
    }

    #[test]
    fn groups_are_a_text_a_list_or_none() {
        let groups = |groups: Value| {
            let claims = json!({ "sub": "1", "preferred_username": "mara", "groups": groups });
            person(&rules(), &claims).map(|person| person.from.groups)
        };
        assert_eq!(groups(json!("oncall")), Ok(vec!["oncall".to_owned()]));
        assert_eq!(groups(json!(null)), Ok(vec![]));
        assert_eq!(groups(json!([])), Ok(vec![]));
        let without = person(&rules(), &json!({ "sub": "1", "preferred_username": "mara" })).unwrap();
        assert!(without.from.groups.is_empty());
        for odd in [json!(7), json!({ "a": 1 }), json!(["a", 7]), json!(["a\nb"]), json!([""]), json!(["a\u{202e}b"])] {
            assert_eq!(groups(odd.clone()), Err(ClaimFault::BadGroups("groups".into())), "{odd}");
        }
        let many: Vec<String> = (0..=MAX_GROUPS).map(|n| n.to_string()).collect();
        assert_eq!(groups(json!(many)), Err(ClaimFault::TooMany));
        let claims = json!({ "sub": "1", "preferred_username": "mara", "_claim_names": { "groups": "src1" } });
        assert_eq!(person(&rules(), &claims), Err(ClaimFault::TooMany), "left out because there are so many");
    }

    #[test]
    fn a_name_is_there_verified_and_fit_to_be_one() {
        let named = |rules: &Rules, claims: Value| person(rules, &claims).map(|person| person.name);
        let by_email = Rules { username_claim: "email".into(), ..rules() };
        let address = "mara@example.com";
        let unsaid = named(&by_email, json!({ "sub": "1", "email": address }));
        assert_eq!(unsaid, Err(ClaimFault::Unverified), "what is not said is not so");
        let verified = |verified: Value| json!({ "sub": "1", "email": address, "email_verified": verified });
        assert_eq!(named(&by_email, verified(json!(true))), Ok(address.to_owned()));
        for not in [json!(false), json!("true"), json!(null)] {
            assert_eq!(named(&by_email, verified(not)), Err(ClaimFault::Unverified));
        }
        let missing = ClaimFault::NoName("preferred_username".into());
        for claims in [
            json!({ "sub": "1", "name": "Mara" }),
            json!({ "sub": "1", "preferred_username": 7 }),
            json!({ "sub": "1", "preferred_username": "" }),
        ] {
            assert_eq!(named(&rules(), claims), Err(missing.clone()));
        }
        for bad in ["user:1", " mara", "a\nb", &"x".repeat(200)] {
            let refused = named(&rules(), json!({ "sub": "1", "preferred_username": bad }));
            assert!(matches!(refused, Err(ClaimFault::BadName { .. })), "{bad:?}: {refused:?}");
        }
        for claims in [
            json!({ "preferred_username": "mara" }),
            json!({ "sub": "", "preferred_username": "mara" }),
            json!({ "sub": "x".repeat(256), "preferred_username": "mara" }),
        ] {
            assert_eq!(named(&rules(), claims), Err(ClaimFault::Subject));
        }
    }

    #[test]
    fn roles_come_from_groups_as_they_stand_now() {
        let from = |groups: &[&str]| FederatedIdentity {
            issuer: ISSUER.into(),
            subject: "1".into(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        };
        let none: [String; 0] = [];
        assert_eq!(rules().roles(&from(&["oncall"]), &none), [Role::Operator, Role::Viewer]);
        assert_eq!(
            rules().roles(&from(&["authors", "oncall", "x"]), &none),
            [Role::Operator, Role::Author, Role::Viewer]
        );
        assert!(rules().roles(&from(&["x"]), &none).is_empty());
        assert!(rules().roles(&from(&["Oncall"]), &none).is_empty(), "names are compared as they are written");
        assert!(rules().roles(&from(&["oncall", "x"]), &["x".to_owned()]).is_empty(), "one blocked group shuts out");
        let elsewhere = FederatedIdentity { issuer: "https://old.example".into(), ..from(&["oncall"]) };
        assert!(rules().roles(&elsewhere, &none).is_empty(), "another provider's word counts for nothing");
        let open = Rules { roles: vec![(EVERYBODY.into(), Role::Viewer)], ..rules() };
        assert_eq!(open.roles(&from(&[]), &none), [Role::Viewer]);
    }

    #[test]
    fn who_is_not_let_in_is_told_why() {
        let person =
            person(&rules(), &json!({ "sub": "1", "preferred_username": "mara", "groups": ["a", "b"] })).unwrap();
        let known = UserRecord {
            id: "user:1".into(),
            name: "mara".into(),
            roles: vec![],
            disabled: true,
            created_at: Timestamp::from_millis(1),
            last_sign_in_at: None,
            external: Some(person.from.clone()),
        };
        let groups = &person.from.groups;
        assert_eq!(admitted(&person, &[Role::Viewer], Some(&known), &[]), Err(Refusal::Disabled));
        let active = UserRecord { disabled: false, ..known };
        assert_eq!(admitted(&person, &[Role::Viewer], Some(&active), &[]), Ok(()));
        assert_eq!(admitted(&person, &[Role::Viewer], None, &["x".into()]), Ok(()));
        let blocked = admitted(&person, &[Role::Viewer], None, &["x".into(), "b".into()]).unwrap_err();
        assert_eq!(blocked, Refusal::Blocked(vec!["b".into()]));
        assert!(blocked.in_words("Example", groups).contains("Blocked here: b."));
        let none = admitted(&person, &[], Some(&active), &[]).unwrap_err();
        assert!(
            none.in_words("Example", groups).contains("None of your groups at Example is given a role here: a, b.")
        );
        assert!(none.in_words("Example", &[]).contains("Example names no group of yours"));
        let many: Vec<String> = (0..12).map(|n| n.to_string()).collect();
        assert!(none.in_words("Example", &many).contains("0, 1, 2, 3, 4, 5, 6, 7 and 4 more"));
    }
}
