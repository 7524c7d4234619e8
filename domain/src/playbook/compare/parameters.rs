//! What a model fills in: which changes keep every set of values valid that was valid. The rules of `depends_on` and
//! defaults are those of [`super::super::dependency`]: a default is a value, and it counts where the parameter is allowed.

use std::cmp::Ordering::{self, Greater, Less};

use serde_json::{Number, Value};

use super::{Found, Reach};
use crate::playbook::{
    parameter::{Parameter, ParameterType},
    scalar,
};

/// A change of one parameter, in words.
type Word = (Reach, String);

/// The changes from one list to the other.
pub(super) fn exposed(old: &[Parameter], new: &[Parameter], found: &mut Found) {
    let find = |list: &[Parameter], name: &str| list.iter().position(|candidate| candidate.name.as_str() == name);
    let mut gone: Vec<&Parameter> = old.iter().filter(|p| find(new, p.name.as_str()).is_none()).collect();
    let mut fresh: Vec<&Parameter> = new.iter().filter(|p| find(old, p.name.as_str()).is_none()).collect();
    gone.retain(|before| {
        let Some(at) = fresh.iter().position(|after| same_but_for_the_name(before, after)) else { return true };
        let after = fresh.remove(at);
        found.named(&before.name, Reach::Breaking, format!("is called {} now: its old name is refused", after.name));
        false
    });
    for before in gone {
        found.named(&before.name, Reach::Breaking, "is gone: answers that give it are refused");
    }
    for after in fresh {
        let (reach, words) = added(after);
        found.named(&after.name, reach, words);
    }
    for after in new {
        let Some(before) = find(old, after.name.as_str()).map(|at| &old[at]) else { continue };
        for (reach, words) in changed(before, after) {
            found.named(&after.name, reach, words);
        }
    }
    let order = |list: &[Parameter], other: &[Parameter]| -> Vec<String> {
        let kept = list.iter().filter(|p| find(other, p.name.as_str()).is_some());
        kept.map(|p| p.name.to_string()).collect()
    };
    if order(old, new) != order(new, old) {
        found.part("Parameters", Reach::Patch, "stand in another order");
    }
}

fn same_but_for_the_name(before: &Parameter, after: &Parameter) -> bool {
    let nameless = |parameter: &Parameter| Parameter { tekton_mapping: None, ..parameter.clone() };
    Parameter { name: after.name.clone(), ..nameless(before) } == nameless(after)
}

fn added(after: &Parameter) -> Word {
    match (&after.default, after.required, after.depends_on.is_empty()) {
        (Some(default), ..) => (Reach::Compatible, format!("is new: {} unless given", scalar::shown(default))),
        (None, false, _) => (Reach::Compatible, "is new, and may be left out".to_owned()),
        (None, true, true) => (Reach::Breaking, "is new and needed: answers without it are refused".to_owned()),
        (None, true, false) => {
            (Reach::Breaking, "is new and needed where it applies: answers without it are refused".to_owned())
        }
    }
}

fn changed(before: &Parameter, after: &Parameter) -> Vec<Word> {
    let mut words = Vec::new();
    words.extend(kind(before, after));
    // A list whose values are all still allowed settles every other rule: at registration each was held against them.
    let listed = !before.allowed.is_empty() && !after.allowed.is_empty() && missing(before, after).is_empty();
    words.extend(allowed(before, after));
    let rules = [pattern(before, after)].into_iter().chain(numbers(before, after)).chain(lengths(before, after));
    let rules: Vec<Word> = rules.flatten().collect();
    if !listed {
        words.extend(rules);
    } else if !rules.is_empty() {
        words.push((Reach::Compatible, "is held to other rules, which every listed value passes".to_owned()));
    }
    words.extend(needed(before, after));
    words.extend(default(before, after));
    words.extend(conditions(before, after));
    if before.description != after.description {
        words.push((Reach::Patch, "is described in other words".to_owned()));
    }
    if before.examples != after.examples {
        words.push((Reach::Patch, "has other examples".to_owned()));
    }
    words
}

fn kind(before: &Parameter, after: &Parameter) -> Option<Word> {
    let (old, new) = (before.kind, after.kind);
    if old == new {
        return None;
    }
    // Every whole number is a number, and is written as before.
    let wider = (old, new) == (ParameterType::Integer, ParameterType::Number);
    Some(if wider {
        (Reach::Compatible, "takes fractions, too: number instead of integer".to_owned())
    } else {
        (Reach::Breaking, format!("is {new} instead of {old}"))
    })
}

/// Values of the old list that the new one lacks.
fn missing(before: &Parameter, after: &Parameter) -> Vec<String> {
    before.allowed.iter().filter(|value| !after.allowed.contains(value)).map(scalar::shown).collect()
}

fn allowed(before: &Parameter, after: &Parameter) -> Vec<Word> {
    match (before.allowed.is_empty(), after.allowed.is_empty()) {
        (true, true) => Vec::new(),
        (true, false) => {
            let values: Vec<_> = after.allowed.iter().map(scalar::shown).collect();
            vec![(Reach::Breaking, format!("takes only {} now", values.join(", ")))]
        }
        (false, true) => {
            // What the list held has to pass the other rules now, which nobody has checked.
            let ruled = after.pattern.is_some()
                || after.minimum.is_some()
                || after.maximum.is_some()
                || after.min_length.is_some()
                || after.max_length.is_some();
            let as_before = after.pattern == before.pattern
                && after.minimum == before.minimum
                && after.maximum == before.maximum
                && after.min_length == before.min_length
                && after.max_length == before.max_length;
            let reach = if ruled && !as_before { Reach::Breaking } else { Reach::Compatible };
            vec![(reach, "is not tied to a list any more".to_owned())]
        }
        (false, false) => {
            let gone = missing(before, after);
            let fresh = missing(after, before);
            let mut words = Vec::new();
            if !gone.is_empty() {
                words.push((Reach::Breaking, format!("does not take {} any more", gone.join(", "))));
            }
            if !fresh.is_empty() {
                words.push((Reach::Compatible, format!("takes {}, too", fresh.join(", "))));
            }
            words
        }
    }
}

fn pattern(before: &Parameter, after: &Parameter) -> Option<Word> {
    match (&before.pattern, &after.pattern) {
        (old, new) if old == new => None,
        (None, Some(new)) => Some((Reach::Breaking, format!("must match {new}"))),
        (Some(_), None) => Some((Reach::Compatible, "need not match a pattern any more".to_owned())),
        (Some(_), Some(new)) => {
            Some((Reach::Breaking, format!("must match {new}: whether old values do can't be told")))
        }
        (None, None) => None,
    }
}

fn numbers(before: &Parameter, after: &Parameter) -> [Option<Word>; 2] {
    let value = |number: &Option<Number>| number.as_ref().and_then(Number::as_f64);
    let text = |number: &Option<Number>| number.as_ref().map(ToString::to_string);
    [
        bound(
            "least",
            value(&before.minimum),
            value(&after.minimum),
            text(&before.minimum),
            text(&after.minimum),
            Greater,
        ),
        bound("most", value(&before.maximum), value(&after.maximum), text(&before.maximum), text(&after.maximum), Less),
    ]
}

fn lengths(before: &Parameter, after: &Parameter) -> [Option<Word>; 2] {
    let value = |length: Option<u32>| length.map(f64::from);
    let text = |length: Option<u32>| length.map(|n| n.to_string());
    let (shortest, longest) = ((before.min_length, after.min_length), (before.max_length, after.max_length));
    [
        // No text is shorter than nothing.
        bound(
            "fewest characters",
            Some(value(shortest.0).unwrap_or(0.0)),
            Some(value(shortest.1).unwrap_or(0.0)),
            text(shortest.0),
            text(shortest.1),
            Greater,
        ),
        bound("most characters", value(longest.0), value(longest.1), text(longest.0), text(longest.1), Less),
    ]
}

/// A bound that moved. `inwards` is greater where a greater number allows less.
fn bound(
    what: &str,
    before: Option<f64>,
    after: Option<f64>,
    was: Option<String>,
    is: Option<String>,
    inwards: Ordering,
) -> Option<Word> {
    let narrower = match (before, after) {
        (None, None) => return None,
        (None, Some(_)) => true,
        (Some(_), None) => false,
        (Some(before), Some(after)) => match after.partial_cmp(&before) {
            None | Some(Ordering::Equal) => return None,
            Some(moved) => moved == inwards,
        },
    };
    let word = |text: Option<String>| text.unwrap_or_else(|| "any".to_owned());
    let reach = if narrower { Reach::Breaking } else { Reach::Compatible };
    let end = if narrower { ": values outside are refused" } else { "" };
    Some((reach, format!("{what} {} instead of {}{end}", word(is), word(was))))
}

fn needed(before: &Parameter, after: &Parameter) -> Option<Word> {
    match (before.required, after.required) {
        (old, new) if old == new => None,
        (true, _) => Some((Reach::Compatible, "may be left out".to_owned())),
        // A default is a value; whether it is the one it was, is another question.
        (false, _) if after.default.is_some() => Some((Reach::Compatible, "is needed, and has its default".to_owned())),
        (false, _) => Some((Reach::Breaking, "is needed: answers without it are refused".to_owned())),
    }
}

fn default(before: &Parameter, after: &Parameter) -> Option<Word> {
    match (&before.default, &after.default) {
        (None, None) => None,
        (Some(old), Some(new)) if old == new => None,
        // It had to be given wherever it was allowed, so nothing that was stored leans on the default.
        (None, Some(new)) if before.required => {
            Some((Reach::Compatible, format!("is {} unless given", scalar::shown(new))))
        }
        (None, Some(new)) => {
            let text = format!("is {} unless given: a run that leaves it out does something else", scalar::shown(new));
            Some((Reach::Breaking, text))
        }
        (Some(old), None) if after.required => {
            Some((Reach::Breaking, format!("is not {} by itself any more: it must be given", scalar::shown(old))))
        }
        (Some(old), new) => {
            let now = new.as_ref().map_or_else(|| "nothing".to_owned(), scalar::shown);
            let text = format!(
                "is {now} instead of {} unless given: a run that leaves it out does something else",
                scalar::shown(old)
            );
            Some((Reach::Breaking, text))
        }
    }
}

fn conditions(before: &Parameter, after: &Parameter) -> Option<Word> {
    let holds = |wider: &Parameter, narrower: &Parameter| {
        wider.depends_on.iter().all(|(name, values)| {
            let kept: Option<&Vec<Value>> = narrower.depends_on.get(name);
            kept.is_some_and(|kept| kept.iter().all(|value| values.contains(value)))
        })
    };
    let (wider, narrower) = (holds(after, before), holds(before, after));
    if wider && narrower {
        return None;
    }
    if !wider {
        return Some((Reach::Breaking, "is allowed in fewer cases: answers that give it elsewhere are refused".into()));
    }
    Some(match (&after.default, after.required) {
        (Some(_), _) => {
            (Reach::Breaking, "applies in more cases, and its default with it: the same answer does more".into())
        }
        (None, true) => (Reach::Breaking, "is needed in more cases: answers without it are refused".into()),
        (None, false) => (Reach::Compatible, "is allowed in more cases".into()),
    })
}
