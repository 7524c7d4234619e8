//! The rules on people and tokens, the same for the pages and the command line: names, passwords, roles, and that a token
//! never gets more than its owner may. Knows neither how a password is hashed nor where anything is stored.

use crate::{
    fault::{Complaint, code},
    identity::{Right, Role},
    ports::{TokenRecord, UserRecord},
    text::check_line,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The most characters of an account's or a token's name.
pub const MAX_NAME: usize = 128;
/// The fewest characters of a password: long enough that guessing at the rate of the sign-in page comes to nothing.
pub const MIN_PASSWORD: usize = 12;
/// The most characters of a password: hashing takes its time, and nobody types more.
pub const MAX_PASSWORD: usize = 1024;
/// The most tokens of one person that work at the same time.
pub const MAX_TOKENS: usize = 50;

/// What the ids of actors begin with: no name may, so that a name is never taken for an id.
const PREFIXES: [&str; 4] = ["user:", "token:", "system:", "cluster:"];

/// The name under which a token acts: its owner's with its own beside it, so that whoever names a token does not choose under whose
/// name it acts; of one that is nobody's, that it is a token. No account's name reads so ([`check_name`]).
pub fn acts_as(token: &str, owner: Option<&str>) -> String {
    match owner {
        Some(owner) => format!("{owner} (token {token})"),
        None => format!("token {token}"),
    }
}

/// The name of somebody who comes by a token of the cluster.
pub fn of_cluster(username: &str) -> String {
    format!("{username} (cluster)")
}

/// Under which names the console's own parts act: those of [`crate::identity::Actor::system`] in all crates.
const PARTS: [&str; 12] = [
    "cluster",
    "command line",
    "console",
    "demo scene",
    "first start",
    "limits",
    "playbook library",
    "retention",
    "settings",
    "sign in",
    "stranger",
    "system",
];

/// Whether a name could be taken for one that [`acts_as`] or [`of_cluster`] makes, for a policy's or for that of a part of the console.
fn reads_as_another(name: &str) -> bool {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    matches!(words.first(), Some(&("token" | "policy")))
        || PARTS.contains(&words.join(" ").as_str())
        || name.contains("(token")
        || name.contains("(cluster")
}

/// What of a name counts when it is compared with others: nobody tells `Admin` from `admin` in a list.
pub fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// A text that is shown once and never written anywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A name that can be signed in with and read in a list.
pub fn check_name(name: &str) -> Result<(), Complaint> {
    if name.trim().is_empty() {
        return Err(Complaint::new(code::REQUIRED, "give a name"));
    }
    if name.chars().nth(MAX_NAME).is_some() {
        return Err(Complaint::new(code::TOO_LONG, format!("shorten the name to {MAX_NAME} characters")));
    }
    check_line(name)?;
    if name.trim() != name {
        return Err(Complaint::new(code::MALFORMED, "take the blanks at its ends away: they would not be seen"));
    }
    if reads_as_another(name) {
        let message = "choose another name: as “token …”, “… (token …)”, “… (cluster)”, “policy …” or a part of the console, \
                       like “sign-in”, others act";
        return Err(Complaint::new(code::NOT_ALLOWED, message));
    }
    if let Some(prefix) = PREFIXES.iter().find(|prefix| name.starts_with(**prefix)) {
        let message = format!("choose a name that does not begin with {prefix} like the console's own ids");
        return Err(Complaint::new(code::NOT_ALLOWED, message));
    }
    Ok(())
}

/// A password that somebody chose for the account of this name.
pub fn check_password(name: &str, password: &str) -> Result<(), Complaint> {
    if password.chars().nth(MAX_PASSWORD).is_some() {
        return Err(Complaint::new(code::TOO_LONG, format!("use at most {MAX_PASSWORD} characters")));
    }
    if password.chars().nth(MIN_PASSWORD - 1).is_none() {
        let message = format!("use at least {MIN_PASSWORD} characters: a few words are easy to keep in mind");
        return Err(Complaint::new(code::TOO_SHORT, message));
    }
    let mut characters = password.chars();
    let first = characters.next();
    if password.to_lowercase().contains(&name.to_lowercase()) && name.chars().nth(2).is_some()
        || characters.all(|c| Some(c) == first)
    {
        return Err(Complaint::new(code::NOT_ALLOWED, "choose one that is not made of the name or of one character"));
    }
    Ok(())
}

/// The roles of a person: at least one, each once, none that is for tokens only.
pub fn roles_of_person(roles: &[Role]) -> Result<Vec<Role>, Complaint> {
    if let Some(role) = roles.iter().find(|role| role.tokens_only()) {
        let message = format!("the role {role} is for tokens only: make a token with it");
        return Err(Complaint::new(code::NOT_ALLOWED, message));
    }
    each_once(roles)
}

/// The roles of a token: at least one, each once. What a machine proposes or hands in it must not be able to decide, so such
/// a token can do nothing else.
pub fn roles_of_token(roles: &[Role]) -> Result<Vec<Role>, Complaint> {
    let roles = each_once(roles)?;
    match roles.iter().find(|role| role.tokens_only()).filter(|_| roles.len() > 1) {
        Some(alone) => {
            let message = format!("the role {alone} stands alone: make a token for each role");
            Err(Complaint::new(code::NOT_ALLOWED, message))
        }
        None => Ok(roles),
    }
}

fn each_once(roles: &[Role]) -> Result<Vec<Role>, Complaint> {
    let mut once: Vec<Role> = Vec::new();
    for role in roles {
        if !once.contains(role) {
            once.push(*role);
        }
    }
    if once.is_empty() { Err(Complaint::new(code::REQUIRED, "choose at least one role")) } else { Ok(once) }
}

/// Whether roles include all that this one grants.
fn covers(owner: &[Role], role: Role) -> Result<(), Right> {
    let missing = |right: &Right| role.grants(*right) && !owner.iter().any(|own| own.grants(*right));
    Right::ALL.into_iter().find(missing).map_or(Ok(()), Err)
}

/// Refuses roles for a token that grant what its owner may not do.
pub fn check_within(roles: &[Role], owner: &[Role]) -> Result<(), Complaint> {
    for role in roles {
        if let Err(right) = covers(owner, *role) {
            let message = format!("a token gets no more than its owner may: {role} includes {right}");
            return Err(Complaint::new("more_than_owner", message));
        }
    }
    Ok(())
}

/// What of a token's roles counts now: each as long as its owner may all of it. A person who loses a role loses it in their
/// tokens too, from the next request on.
pub fn effective(roles: &[Role], owner: &[Role]) -> Vec<Role> {
    roles.iter().copied().filter(|role| covers(owner, *role).is_ok()).collect()
}

/// The roles that are within both of these: what a session may by the cookie that it had under others.
pub fn in_both(one: &[Role], other: &[Role]) -> Vec<Role> {
    let mut roles = effective(one, other);
    roles.extend(effective(other, one));
    roles.sort_unstable();
    roles.dedup();
    roles
}

/// How a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenStanding {
    /// It works.
    Live,
    /// It works, but not all that it was made for: its owner may less by now.
    Curtailed,
    /// It is without effect as long as its owner is disabled.
    OwnerDisabled,
    /// Its time is over.
    Expired,
    /// Somebody revoked it.
    Revoked,
}

impl TokenStanding {
    /// How this token stands. `owner` is the account of its owner, where it has one.
    pub fn of(token: &TokenRecord, owner: Option<&UserRecord>, now: Timestamp) -> Self {
        if token.revoked_at.is_some() {
            return Self::Revoked;
        }
        if token.expires_at.is_some_and(|at| at <= now) {
            return Self::Expired;
        }
        match (&token.owner, owner) {
            (None, _) => Self::Live,
            (Some(_), Some(owner)) if owner.disabled => Self::OwnerDisabled,
            (Some(_), Some(owner)) if effective(&token.roles, &owner.roles) == token.roles => Self::Live,
            (Some(_), Some(_)) => Self::Curtailed,
            (Some(_), None) => Self::OwnerDisabled,
        }
    }

    /// Whether it can still be revoked.
    pub const fn ended(self) -> bool {
        matches!(self, Self::Expired | Self::Revoked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ActorId;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn refused(result: Result<impl Sized, Complaint>) -> String {
        result.err().map(|complaint| complaint.code.into_owned()).unwrap_or_default()
    }

    #[test]
    fn names_are_one_visible_line_and_never_look_like_ids() {
        for good in [
            "mara",
            "m.okafor",
            "Ärztin vom Dienst",
            "ci-token",
            "tokens",
            "policyholder",
            "consoles",
            "cluster-admin",
            &"x".repeat(MAX_NAME),
        ] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for (bad, code) in [
            ("", "required"),
            (" \t", "required"),
            (&*"x".repeat(MAX_NAME + 1), "too_long"),
            ("a\nb", "control_character"),
            ("a\u{202e}b", "bidi_control"),
            (" mara", "malformed"),
            ("user:1", "not_allowed"),
            ("token:1", "not_allowed"),
            ("system:x", "not_allowed"),
            ("token ci", "not_allowed"),
            ("Token-ci", "not_allowed"),
            ("TOKEN", "not_allowed"),
            ("mara (token ci)", "not_allowed"),
            ("mara (TOKEN", "not_allowed"),
            ("mara (cluster)", "not_allowed"),
            ("policy known v2", "not_allowed"),
            ("Policy file", "not_allowed"),
            ("console", "not_allowed"),
            ("Console", "not_allowed"),
            ("cluster", "not_allowed"),
            ("stranger", "not_allowed"),
            ("sign-in", "not_allowed"),
            ("system", "not_allowed"),
            ("first start", "not_allowed"),
            ("command  line", "not_allowed"),
        ] {
            assert_eq!(refused(check_name(bad)), code, "{bad:?}");
        }
    }

    #[test]
    fn nobody_is_called_as_a_token_acts() {
        for acts in [acts_as("admin", None), acts_as("admin", Some("mara"))] {
            assert_eq!(refused(check_name(&acts)), "not_allowed", "{acts}");
        }
        assert_eq!(acts_as("ci", Some("mara")), "mara (token ci)");
    }

    #[test]
    fn passwords_are_long_and_not_the_name() {
        assert!(check_password("mara", "correct horse battery").is_ok());
        assert_eq!(refused(check_password("mara", "eleven char")), "too_short");
        assert!(check_password("mara", "ä".repeat(11).as_str()).is_err(), "counted in characters");
        assert_eq!(refused(check_password("mara", "MARA and some more")), "not_allowed");
        assert_eq!(refused(check_password("mara", &"a".repeat(20))), "not_allowed");
        assert_eq!(refused(check_password("mara", &"ab".repeat(600))), "too_long");
        assert!(check_password("a", "a long enough one").is_ok(), "a name of one letter is in many words");
    }

    #[test]
    fn people_have_peoples_roles_and_a_machine_has_one_alone() {
        use Role::{Admin, Ingest, Operator, Propose, Viewer};
        assert_eq!(roles_of_person(&[Viewer, Operator, Viewer]), Ok(vec![Viewer, Operator]));
        assert_eq!(refused(roles_of_person(&[])), "required");
        assert!(roles_of_person(&[Propose]).unwrap_err().message.contains("tokens only"));
        assert_eq!(roles_of_token(&[Propose]), Ok(vec![Propose]));
        for other in [Admin, Operator, Ingest] {
            assert!(roles_of_token(&[Propose, other]).unwrap_err().message.contains("propose stands alone"));
        }
    }

    #[test]
    fn a_token_never_gets_more_than_its_owner_may() {
        use Role::{Admin, Auditor, Author, Ingest, Operator, Propose, Viewer};
        for (token, owner, fits) in [
            (vec![Viewer], vec![Operator], true),
            (vec![Propose], vec![Operator], true),
            (vec![Propose], vec![Viewer], false),
            (vec![Ingest], vec![Operator], false),
            (vec![Ingest], vec![Admin], true),
            (vec![Operator], vec![Viewer], false),
            (vec![Operator, Author], vec![Author, Operator], true),
            (vec![Admin], vec![Operator, Author, Auditor], false),
            (vec![Viewer], vec![], false),
        ] {
            assert_eq!(check_within(&token, &owner).is_ok(), fits, "{token:?} of {owner:?}");
            assert_eq!(effective(&token, &owner) == token, fits, "{token:?} of {owner:?}");
        }
        let told = check_within(&[Operator], &[Viewer]).unwrap_err().message;
        assert!(told.contains("operator includes recommendations:propose"), "{told}");
        assert_eq!(effective(&[Viewer, Operator], &[Author]), [Viewer], "what the owner still may stays");
    }

    #[test]
    fn nothing_of_a_token_exceeds_its_owner_whatever_the_roles() {
        // All pairs of roles on either side.
        for a in Role::ALL {
            for b in Role::ALL {
                for own in Role::ALL {
                    let counts = effective(&[a, b], &[own]);
                    let more = Right::ALL.iter().find(|r| counts.iter().any(|c| c.grants(**r)) && !own.grants(**r));
                    assert_eq!(more, None, "{a} and {b} of {own}");
                }
            }
        }
    }

    #[test]
    fn what_is_within_both_is_no_more_than_either_and_all_that_one_role_grants_in_both() {
        use Role::{Admin, Author, Operator, Viewer};
        assert_eq!(in_both(&[Viewer], &[Operator]), [Viewer]);
        assert_eq!(in_both(&[Operator], &[Viewer]), [Viewer]);
        assert_eq!(in_both(&[Admin], &[Operator, Author]), [Operator, Author]);
        assert_eq!(in_both(&[Operator], &[Operator]), [Operator]);
        assert!(in_both(&[Operator], &[]).is_empty());
        assert_eq!(in_both(&[Operator, Viewer], &[Author, Viewer]), [Viewer]);
    }

    #[test]
    fn a_token_stands_as_its_owner_does() {
        let owner = UserRecord {
            id: "user:1".into(),
            name: "mara".into(),
            roles: vec![Role::Operator],
            disabled: false,
            created_at: NOW,
            last_sign_in_at: None,
            external: None,
        };
        let token = TokenRecord {
            id: "token:1".into(),
            name: "ci".into(),
            roles: vec![Role::Operator],
            owner: Some(ActorId::new("user:1")),
            created_at: NOW,
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
        };
        let stands = |token: &TokenRecord, owner: &UserRecord| TokenStanding::of(token, Some(owner), NOW);
        assert_eq!(stands(&token, &owner), TokenStanding::Live);
        assert_eq!(stands(&token, &UserRecord { disabled: true, ..owner.clone() }), TokenStanding::OwnerDisabled);
        assert_eq!(
            stands(&token, &UserRecord { roles: vec![Role::Viewer], ..owner.clone() }),
            TokenStanding::Curtailed
        );
        assert_eq!(stands(&TokenRecord { expires_at: Some(NOW), ..token.clone() }, &owner), TokenStanding::Expired);
        assert_eq!(stands(&TokenRecord { revoked_at: Some(NOW), ..token.clone() }, &owner), TokenStanding::Revoked);
        let nobodys = TokenRecord { owner: None, ..token.clone() };
        assert_eq!(TokenStanding::of(&nobodys, None, NOW), TokenStanding::Live);
        assert_eq!(TokenStanding::of(&token, None, NOW), TokenStanding::OwnerDisabled, "its owner is not there");
        assert_eq!(format!("{:?}", Secret("kbn_x".into())), "Secret(…)");
    }
}
