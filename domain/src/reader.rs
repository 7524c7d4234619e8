//! Reading JSON that somebody sent: strictly, and finding every fault in one pass.
//! `serde` stops at the first fault and cannot say what to do; this goes on, and a fault tells its place.
//! Knows JSON and [`Faults`], not what the fields mean.
//!
//! ```
//! use domain::fault::Faults;
//! use domain::reader::{self, ObjectReader};
//!
//! let sent = serde_json::json!({"title": "", "tag": ["a"]});
//! let mut faults = Faults::new();
//! let mut object = ObjectReader::new(&sent, "", &mut faults);
//! let title = object.required("title", reader::line(1..=200));
//! let tags = object.optional("tags", reader::array(0..=8, reader::line(1..=63)));
//! object.finish();
//! assert!(title.is_none() && tags.is_none());
//! let found: Vec<_> = faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect();
//! assert_eq!(found, [("/title".into(), "too_short".into()), ("/tag".into(), "unknown_field".into())]);
//! ```

mod words;

pub use words::{described, nearest, quoted};

use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::fault::{Complaint, Faults, code};
use crate::json::pointer::{join, join_index};
use crate::text;
use words::meant;

/// Reads one object: each field once, then [`finish`](Self::finish) reports the members nobody asked for.
///
/// When the value is no object that is one fault, and every read answers `None` without another.
#[must_use = "call finish() so that unknown members are reported"]
pub struct ObjectReader<'v, 'f> {
    members: Option<&'v Map<String, Value>>,
    pointer: String,
    faults: &'f mut Faults,
    known: Vec<&'static str>,
}

impl<'v, 'f> ObjectReader<'v, 'f> {
    /// Starts to read the object at `pointer`.
    pub fn new(value: &'v Value, pointer: impl Into<String>, faults: &'f mut Faults) -> Self {
        let pointer = pointer.into();
        let members = value.as_object();
        if members.is_none() {
            wrong_type::<()>(value, &pointer, faults, "an object {…}");
        }
        Self { members, pointer, faults, known: Vec::new() }
    }

    /// A field that must be there. `None` means that a fault was recorded (a list may be `Some` and have faulty items).
    pub fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'v Value, &str, &mut Faults) -> Option<T>,
    ) -> Option<T> {
        let Some(value) = self.look_up(name) else {
            if self.members.is_some() {
                let message = format!("add the field {}: it is required", quoted(name));
                self.faults.add(join(&self.pointer, name), code::REQUIRED, message);
            }
            return None;
        };
        read(value, &join(&self.pointer, name), self.faults)
    }

    /// A field that may be left out; `null` means left out.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'v Value, &str, &mut Faults) -> Option<T>,
    ) -> Option<T> {
        let value = self.look_up(name)?;
        read(value, &join(&self.pointer, name), self.faults)
    }

    /// Whether a field is there and not `null`. Makes the name known.
    pub fn has(&mut self, name: &'static str) -> bool {
        self.look_up(name).is_some()
    }

    /// Where this object stands.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Records a fault of one of the object's fields.
    pub fn fault(&mut self, name: &str, complaint: Complaint) {
        self.faults.push(complaint.at(join(&self.pointer, name)));
    }

    /// Records a fault of the object as a whole.
    pub fn fault_here(&mut self, complaint: Complaint) {
        self.faults.push(complaint.at(self.pointer.clone()));
    }

    /// Reports every member that was not asked for, with the nearest name that was.
    pub fn finish(self) {
        let Some(members) = self.members else { return };
        for name in members.keys().filter(|name| !self.known.contains(&name.as_str())) {
            let advice = match nearest(name, self.known.iter().copied()) {
                Some(near) => format!("did you mean {}?", quoted(near)),
                None => format!("known here are: {}", self.known.join(", ")),
            };
            let message = format!("remove the unknown field {}: {advice}", quoted(name));
            self.faults.add(join(&self.pointer, name), code::UNKNOWN_FIELD, message);
        }
    }

    fn look_up(&mut self, name: &'static str) -> Option<&'v Value> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        self.members?.get(name).filter(|value| !value.is_null())
    }
}

/// A text on one line with so many characters, not blank when at least one is needed.
pub fn line(characters: RangeInclusive<usize>) -> impl Fn(&Value, &str, &mut Faults) -> Option<String> {
    string(characters, text::check_line)
}

/// A text that may have several lines, with so many characters.
pub fn paragraphs(characters: RangeInclusive<usize>) -> impl Fn(&Value, &str, &mut Faults) -> Option<String> {
    string(characters, text::check_paragraphs)
}

/// A text in somebody else's words, where strange characters are no reason to refuse it (the page makes them harmless).
/// Only NUL is refused, as PostgreSQL cannot keep it.
pub fn free_text(characters: RangeInclusive<usize>) -> impl Fn(&Value, &str, &mut Faults) -> Option<String> {
    string(characters, |text| {
        if text.contains('\0') {
            return Err(Complaint::new(code::CONTROL_CHARACTER, "remove the NUL character"));
        }
        Ok(())
    })
}

fn string(
    characters: RangeInclusive<usize>,
    check: impl Fn(&str) -> Result<(), Complaint>,
) -> impl Fn(&Value, &str, &mut Faults) -> Option<String> {
    move |value, pointer, faults| {
        let Some(text) = value.as_str() else {
            return wrong_type(value, pointer, faults, "a string");
        };
        let count = text.chars().count();
        let (least, most) = (*characters.start(), *characters.end());
        let complaint = if count > most {
            Some(Complaint::new(code::TOO_LONG, format!("shorten the text: {count} characters, at most {most}")))
        } else if count < least || (least > 0 && text.trim().is_empty()) {
            Some(Complaint::new(code::TOO_SHORT, too_short(least)))
        } else {
            check(text).err()
        };
        match complaint {
            None => Some(text.to_owned()),
            Some(complaint) => refuse(complaint, pointer, faults),
        }
    }
}

fn too_short(least: usize) -> String {
    if least <= 1 { "write a text that is not blank".to_owned() } else { format!("write at least {least} characters") }
}

/// A text that a newtype understands.
pub fn parsed<T>() -> impl Fn(&Value, &str, &mut Faults) -> Option<T>
where
    T: FromStr,
    Complaint: From<T::Err>,
{
    |value, pointer, faults| {
        let Some(text) = value.as_str() else {
            return wrong_type(value, pointer, faults, "a string");
        };
        match text.parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => refuse(Complaint::from(error), pointer, faults),
        }
    }
}

/// One of a few words.
pub fn one_of<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&Value, &str, &mut Faults) -> Option<T> {
    move |value, pointer, faults| {
        let Some(text) = value.as_str() else {
            return wrong_type(value, pointer, faults, "a string");
        };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*meaning);
        }
        let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let meant = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
        let meant = meant.map(|(word, _)| format!("; write {}", quoted(word))).unwrap_or_default();
        let message = format!("{} is not one of: {}{meant}", quoted(text), all.join(", "));
        refuse(Complaint::new(code::NOT_ALLOWED, message), pointer, faults)
    }
}

/// A whole number within bounds; `3.0` is one (as JSON Schema has it).
pub fn integer(bounds: RangeInclusive<i64>) -> impl Fn(&Value, &str, &mut Faults) -> Option<i64> {
    move |value, pointer, faults| {
        let Some(number) = value.as_number().and_then(whole) else {
            return wrong_type(value, pointer, faults, "a whole number");
        };
        if bounds.contains(&number) {
            return Some(number);
        }
        let message = format!("choose a number from {} to {}", bounds.start(), bounds.end());
        refuse(Complaint::new(code::OUT_OF_RANGE, message), pointer, faults)
    }
}

/// A number within bounds.
pub fn number(bounds: RangeInclusive<f64>) -> impl Fn(&Value, &str, &mut Faults) -> Option<f64> {
    move |value, pointer, faults| {
        let Some(number) = value.as_f64() else {
            return wrong_type(value, pointer, faults, "a number");
        };
        if bounds.contains(&number) {
            return Some(number);
        }
        let message = format!("choose a number from {} to {}", bounds.start(), bounds.end());
        refuse(Complaint::new(code::OUT_OF_RANGE, message), pointer, faults)
    }
}

/// `true` or `false`.
pub fn boolean() -> impl Fn(&Value, &str, &mut Faults) -> Option<bool> {
    |value, pointer, faults| match value.as_bool() {
        Some(boolean) => Some(boolean),
        None => wrong_type(value, pointer, faults, "true or false"),
    }
}

/// A list with so many items. Faulty items are recorded and left out of the answer, so that checks across the good ones
/// can go on; items past the end are not read.
pub fn array<T>(
    items: RangeInclusive<usize>,
    read: impl Fn(&Value, &str, &mut Faults) -> Option<T>,
) -> impl Fn(&Value, &str, &mut Faults) -> Option<Vec<T>> {
    move |value, pointer, faults| {
        let Some(list) = value.as_array() else {
            return wrong_type(value, pointer, faults, "a list […]");
        };
        let (least, most) = (*items.start(), *items.end());
        if list.len() > most {
            let message = format!("shorten the list: {} items, at most {most}", list.len());
            faults.add(pointer, code::TOO_MANY, message);
        }
        if list.len() < least {
            faults.add(pointer, code::TOO_FEW, format!("list at least {least}"));
        }
        let read_item = |(index, value)| read(value, &join_index(pointer, index), faults);
        Some(list.iter().take(most).enumerate().filter_map(read_item).collect())
    }
}

/// The number when it is whole and fits.
pub(crate) fn whole(number: &serde_json::Number) -> Option<i64> {
    if let Some(integer) = number.as_i64() {
        return Some(integer);
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0)?;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within ±2^53, checked above")]
    Some(float as i64)
}

/// Records a complaint; `None`, so that a reader can end with it.
pub fn refuse<T>(complaint: Complaint, pointer: &str, faults: &mut Faults) -> Option<T> {
    faults.push(complaint.at(pointer));
    None
}

/// Records that a value has another type than needed; `None`, so that a reader can end with it.
pub fn wrong_type<T>(value: &Value, pointer: &str, faults: &mut Faults, needed: &str) -> Option<T> {
    let meant = meant(value, needed).map(|meant| format!(": {meant}")).unwrap_or_default();
    let message = format!("send {needed}, not {}{meant}", described(value));
    refuse(Complaint::new(code::WRONG_TYPE, message), pointer, faults)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn codes(faults: Faults) -> Vec<(String, String)> {
        faults.into_iter().map(|fault| (fault.pointer, fault.code.into_owned())).collect()
    }

    #[test]
    fn every_fault_of_an_object_is_found_in_one_pass() {
        let sent = json!({"title": 3, "count": 11, "tags": ["a", 1, ""], "sevrity": "x"});
        let mut faults = Faults::new();
        let mut object = ObjectReader::new(&sent, "/o", &mut faults);
        assert_eq!(object.required("title", line(1..=5)), None);
        assert_eq!(object.required("count", integer(0..=10)), None);
        assert_eq!(object.required("absent", boolean()), None);
        assert_eq!(object.optional("tags", array(0..=5, line(1..=5))), Some(vec!["a".to_owned()]));
        assert_eq!(object.optional("severity", line(1..=5)), None);
        object.finish();
        let message = faults.as_slice().last().map(|fault| fault.message.clone());
        assert_eq!(message.as_deref(), Some("remove the unknown field \"sevrity\": did you mean \"severity\"?"));
        let found = codes(faults);
        let expected = [
            ("/o/title", "wrong_type"),
            ("/o/count", "out_of_range"),
            ("/o/absent", "required"),
            ("/o/tags/1", "wrong_type"),
            ("/o/tags/2", "too_short"),
            ("/o/sevrity", "unknown_field"),
        ];
        assert_eq!(found, expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
    }

    #[test]
    fn who_was_nearly_right_is_told_what_to_write() {
        const WORDS: &[(&str, u8)] = &[("low", 1), ("high", 2)];
        let told = |read: &dyn Fn(&mut Faults) -> bool| {
            let mut faults = Faults::new();
            assert!(!read(&mut faults), "nothing is repaired");
            faults.into_vec().remove(0).message
        };
        let number = |text: &str| told(&|faults| number(0.0..=1.0)(&json!(text), "/c", faults).is_some());
        assert_eq!(number("0.85"), "send a number, not the string \"0.85\": write 0.85 without quotes");
        assert_eq!(number("85 %"), "send a number, not the string \"85 %\"");
        let whole = |text: &str| told(&|faults| integer(0..=9)(&json!(text), "/c", faults).is_some());
        assert_eq!(whole("3"), "send a whole number, not the string \"3\": write 3 without quotes");
        assert_eq!(whole("3.5"), "send a whole number, not the string \"3.5\"");
        let yes = told(&|faults| boolean()(&json!("True"), "/c", faults).is_some());
        assert_eq!(yes, "send true or false, not the string \"True\": write true without quotes");
        let word = told(&|faults| one_of(WORDS)(&json!("High"), "/c", faults).is_some());
        assert_eq!(word, "\"High\" is not one of: low, high; write \"high\"");
        let list = |text: &str| told(&|faults| array(0..=9, boolean())(&json!(text), "/c", faults).is_some());
        assert!(list("[true]").ends_with(": send the JSON itself, not a string that holds it"));
        assert!(list("```json\n[true]\n```").ends_with(": send the JSON itself, without the Markdown fence around it"));
        assert_eq!(list("none"), "send a list […], not the string \"none\"");
    }

    #[test]
    fn what_is_no_object_is_one_fault() {
        let sent = json!([1]);
        let mut faults = Faults::new();
        let mut object = ObjectReader::new(&sent, "", &mut faults);
        assert_eq!(object.required("title", line(1..=5)), None);
        object.finish();
        assert_eq!(codes(faults), [(String::new(), "wrong_type".to_owned())]);
    }

    #[test]
    fn null_is_left_out() {
        let sent = json!({"a": null, "b": null});
        let mut faults = Faults::new();
        let mut object = ObjectReader::new(&sent, "", &mut faults);
        assert_eq!(object.optional("a", boolean()), None);
        assert_eq!(object.required("b", boolean()), None);
        object.finish();
        assert_eq!(codes(faults), [("/b".to_owned(), "required".to_owned())]);
    }

    #[test]
    fn long_lists_are_not_read_to_the_end() {
        let mut faults = Faults::new();
        let sent = json!([1, 2, 3, "x"]);
        assert_eq!(array(0..=2, integer(0..=9))(&sent, "/l", &mut faults), Some(vec![1, 2]));
        assert_eq!(codes(faults), [("/l".to_owned(), "too_many".to_owned())]);
    }

    #[test]
    fn whole_numbers_may_be_written_with_a_point() {
        let mut faults = Faults::new();
        assert_eq!(integer(0..=9)(&json!(3.0), "", &mut faults), Some(3));
        assert_eq!(integer(0..=9)(&json!(3.5), "", &mut faults), None);
        assert_eq!(integer(0..=9)(&json!(1e300), "", &mut faults), None);
        assert_eq!(faults.len(), 2);
    }

    #[test]
    fn free_text_keeps_what_a_model_wrote() {
        let mut faults = Faults::new();
        assert!(free_text(1..=99)(&json!("a\u{200f}\u{1b}[1m"), "", &mut faults).is_some());
        assert!(faults.is_empty());
        assert!(free_text(1..=99)(&json!("a\0"), "", &mut faults).is_none());
        assert!(paragraphs(1..=99)(&json!("a\u{200f}"), "", &mut faults).is_none());
    }
}
