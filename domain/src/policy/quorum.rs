//! Who counts towards an approval, and how many there are. People in two groups count once: where groups are counted, each
//! person stands for one of them, and for the one by which most are reached.

use crate::{
    identity::{Actor, Role},
    ids::ActorId,
};
use serde::{Deserialize, Serialize};

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// Distinct people.
    #[default]
    People,
    /// Distinct groups, each by a person of its own.
    Groups,
}

impl Count {
    /// The words of a document and what they mean.
    pub const WORDS: &[(&str, Self)] = &[("people", Self::People), ("groups", Self::Groups)];
}

/// How many must approve, and who counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quorum {
    /// How many.
    pub need: u32,
    /// The groups whose members count; everybody who may decide where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<String>,
    /// People, or groups.
    #[serde(default)]
    pub count: Count,
    /// Whether who requested it counts.
    #[serde(default)]
    pub requester_counts: bool,
    /// Whether who last edited the parameters counts.
    #[serde(default = "yes")]
    pub last_editor_counts: bool,
}

const fn yes() -> bool {
    true
}

/// Somebody who approves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voter {
    /// The person.
    pub person: ActorId,
    /// The name of their account.
    pub name: String,
    /// Their roles.
    pub roles: Vec<Role>,
}

impl Quorum {
    /// So many people, whoever they are, but not who requested it.
    pub const fn people(need: u32) -> Self {
        Self { need, of: Vec::new(), count: Count::People, requester_counts: false, last_editor_counts: true }
    }

    /// Whether approvals that are enough here are enough there, too.
    pub fn covers(&self, other: &Self) -> bool {
        let people =
            other.of.is_empty() || (!self.of.is_empty() && self.of.iter().all(|group| other.of.contains(group)));
        self.need >= other.need
            && people
            && (self.count == Count::Groups || other.count == Count::People)
            && (!self.requester_counts || other.requester_counts)
            && (!self.last_editor_counts || other.last_editor_counts)
    }

    /// Whether somebody who stands for these groups counts at all.
    pub fn asks(&self, stands_for: &[String]) -> bool {
        self.of.is_empty() || self.of.iter().any(|group| stands_for.contains(group))
    }

    /// How many there are, of these approvals: each by whom, and the groups that they stand for.
    pub fn have<'a>(&self, approvals: impl IntoIterator<Item = (&'a Actor, &'a [String])>) -> u32 {
        let mut people: Vec<(&ActorId, &[String])> = Vec::new();
        for (actor, stands_for) in approvals {
            if self.asks(stands_for) && !people.iter().any(|(person, _)| *person == actor.person()) {
                people.push((actor.person(), stands_for));
            }
        }
        let have = match self.count {
            Count::People => people.len(),
            Count::Groups => most_groups(&self.of, &people.iter().map(|(_, groups)| *groups).collect::<Vec<_>>()),
        };
        u32::try_from(have).unwrap_or(u32::MAX)
    }
}

/// To how many of the groups a person of its own can be given (augmenting paths; both are few).
fn most_groups(groups: &[String], people: &[&[String]]) -> usize {
    let mut held: Vec<Option<usize>> = vec![None; groups.len()];
    let found = (0..people.len()).filter(|person| {
        let mut seen = vec![false; groups.len()];
        place(*person, groups, people, &mut held, &mut seen)
    });
    found.count()
}

/// Gives the person a group, moving others where that helps.
fn place(
    person: usize,
    groups: &[String],
    people: &[&[String]],
    held: &mut [Option<usize>],
    seen: &mut [bool],
) -> bool {
    for (at, group) in groups.iter().enumerate() {
        if seen[at] || !people[person].contains(group) {
            continue;
        }
        seen[at] = true;
        let free = match held[at] {
            None => true,
            Some(holder) => place(holder, groups, people, held, seen),
        };
        if free {
            held[at] = Some(person);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn have(quorum: &Quorum, approvals: &[(&str, &[&str])]) -> u32 {
        let approvals: Vec<(Actor, Vec<String>)> = approvals
            .iter()
            .map(|(name, of)| (Actor::new(ActorId::new(format!("user:{name}")), *name), groups(of)))
            .collect();
        quorum.have(approvals.iter().map(|(actor, of)| (actor, of.as_slice())))
    }

    #[test]
    fn a_person_in_two_groups_counts_once() {
        let people = Quorum { of: groups(&["sre", "dba"]), ..Quorum::people(2) };
        assert_eq!(have(&people, &[("ann", &["sre", "dba"])]), 1);
        assert_eq!(have(&people, &[("ann", &["sre", "dba"]), ("ann", &["dba"])]), 1);
        assert_eq!(have(&people, &[("ann", &["sre"]), ("bob", &["sre"])]), 2);
        assert_eq!(have(&people, &[("ann", &["sre"]), ("eve", &[]), ("tom", &["web"])]), 1, "only those who are asked");
        let groups = Quorum { count: Count::Groups, ..people };
        assert_eq!(have(&groups, &[("ann", &["sre", "dba"])]), 1);
        assert_eq!(have(&groups, &[("ann", &["sre"]), ("bob", &["sre"])]), 1, "one group is one");
    }

    #[test]
    fn whoever_could_stand_for_two_groups_stands_for_the_one_that_is_left() {
        let all = Quorum { of: groups(&["a", "b", "c"]), count: Count::Groups, ..Quorum::people(3) };
        assert_eq!(have(&all, &[("ann", &["a", "b"]), ("bob", &["a"])]), 2);
        assert_eq!(have(&all, &[("ann", &["a", "b"]), ("bob", &["a", "c"]), ("eve", &["a"])]), 3);
        assert_eq!(have(&all, &[("ann", &["a"]), ("bob", &["a"]), ("eve", &["a", "b"])]), 2);
    }

    #[test]
    fn a_person_and_their_token_are_one() {
        let token = Actor { owner: Some(ActorId::new("user:ann")), ..Actor::new(ActorId::new("token:t"), "t") };
        let ann = Actor::new(ActorId::new("user:ann"), "ann");
        let none: &[String] = &[];
        assert_eq!(Quorum::people(2).have([(&ann, none), (&token, none)]), 1);
    }
}
