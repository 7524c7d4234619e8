//! What must hold across the parts of a policy, once each of them can be read.

use super::{Count, Grant, Match, Policy, Quorum, role_of};
use crate::{
    fault::{Faults, code},
    json::pointer::{join, join_index},
    reader::{self, quoted},
    recommendation::Risk,
    recovery::Way,
};

/// Rules across the parts.
pub(super) fn whole(policy: &Policy, faults: &mut Faults) {
    once_each(policy.freezes.iter().map(|freeze| &freeze.name), "/freezes", faults);
    once_each(policy.rules.iter().map(|rule| &rule.name), "/rules", faults);
    let last = policy.rules.len().saturating_sub(1);
    for (at, rule) in policy.rules.iter().enumerate() {
        let here = join_index("/rules", at);
        let everything = rule.fits.is_empty();
        if everything && at < last {
            let message = "say what this rule is for, or move it to the end: no rule after it is ever reached";
            faults.add(join(&here, "match"), "unreachable", message);
        }
        if !everything && at == last {
            let message = "add a last rule without match: it says what holds for everything else";
            faults.add(&here, code::REQUIRED, message);
        }
        for (index, name) in rule.freeze.iter().enumerate() {
            known(
                name,
                policy.freezes.iter().map(|f| f.name.as_str()),
                "freeze",
                &place(&here, "freeze", index),
                faults,
            );
        }
        for (index, name) in rule.approvals.of.iter().enumerate() {
            let pointer = place(&join(&here, "approvals"), "of", index);
            known(name, policy.groups.keys().map(String::as_str), "group", &pointer, faults);
        }
        reachable(policy, &rule.approvals, &join(&here, "approvals"), faults);
        if rule.grant == Grant::Automatic {
            safe(&rule.fits, &join(&here, "match"), faults);
        }
    }
}

fn place(object: &str, list: &str, index: usize) -> String {
    join_index(&join(object, list), index)
}

fn once_each<'n>(names: impl Iterator<Item = &'n String>, list: &str, faults: &mut Faults) {
    let mut seen: Vec<&String> = Vec::new();
    for (at, name) in names.enumerate() {
        if seen.contains(&name) {
            let message = format!("give it another name: {} is taken", quoted(name));
            faults.add(join(&join_index(list, at), "name"), code::DUPLICATE, message);
        }
        seen.push(name);
    }
}

fn known<'n>(name: &str, all: impl Iterator<Item = &'n str> + Clone, what: &str, pointer: &str, faults: &mut Faults) {
    if all.clone().any(|known| known == name) {
        return;
    }
    let advice = match reader::nearest(name, all) {
        Some(near) => format!("did you mean {}?", quoted(near)),
        None => format!("name it under {what}s first"),
    };
    faults.add(pointer, format!("unknown_{what}"), format!("there is no {what} {}: {advice}", quoted(name)));
}

/// Whether as many can ever be there as are asked for.
fn reachable(policy: &Policy, quorum: &Quorum, pointer: &str, faults: &mut Faults) {
    let need = usize::try_from(quorum.need).unwrap_or(usize::MAX);
    let message = match quorum.count {
        Count::Groups if quorum.of.len() < need => {
            format!("list at least {need} groups under of: each can be counted once")
        }
        Count::People if !quorum.of.is_empty() => {
            let mut members: Vec<&String> =
                quorum.of.iter().filter_map(|name| policy.groups.get(name)).flatten().collect();
            members.sort_unstable();
            members.dedup();
            if members.iter().any(|member| role_of(member).is_some()) || members.len() >= need {
                return;
            }
            format!("ask for at most {}: there are no more people in these groups", members.len())
        }
        _ => return,
    };
    faults.add(pointer, "unreachable", message);
}

/// What runs without anybody looking must be known well.
fn safe(fits: &Match, pointer: &str, faults: &mut Faults) {
    // A rule without match has no members of it to point at.
    let at = |name| if fits.is_empty() { pointer.to_owned() } else { join(pointer, name) };
    if fits.risk.is_empty() || fits.risk.contains(&Risk::High) {
        let message = "say risk: [low] or [low, medium]: what is of high risk is never let run automatically";
        faults.add(at("risk"), code::REQUIRED, message);
    }
    // No model says how sure it is of a rollback: it puts back what was there.
    let of_rollbacks = fits.origin.iter().map(String::as_str).eq([Way::Rollback.name()]);
    if !of_rollbacks && fits.confidence.is_none_or(|range| range.at_least.is_none()) {
        let message = "say how sure the model must be: confidence: { at_least: 0.9 }";
        faults.add(at("confidence"), code::REQUIRED, message);
    }
    if fits.measured_success.is_none_or(|measured| measured.rate.at_least.is_none()) {
        let message = "say what must have been measured: measured_success: { at_least: 0.95, runs: 20 }";
        faults.add(at("measured_success"), code::REQUIRED, message);
    }
    if fits.signed == Some(false) {
        let message = "leave signed: false out: who takes a signature away must not get more for it";
        faults.add(at("signed"), code::NOT_ALLOWED, message);
    }
}
