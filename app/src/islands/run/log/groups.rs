//! Groups of lines, folded and unfolded. One that goes on over several chunks is one to the reader: its parts stand alike, and
//! while it is folded the chunks that are all in it take no place and are not asked for.

use super::{Viewer, viewer};
use crate::islands::browser::{
    elements::{all, whole},
    events::around,
};
use domain::log::window::{CHUNK, chunk_of};
use web_sys::{Element, Event};

const PART: &str = "details[data-group]";

impl Viewer {
    /// Parts that came stand as the reader has their group, or as what came of it first.
    pub(super) fn set_groups(&self, within: &Element) {
        for part in all(within, PART) {
            let Some(opening) = whole(&part, "data-group") else { continue };
            let came = part.has_attribute("open");
            let open = *self.groups.borrow_mut().entry(opening).or_insert(came);
            self.fold(opening, whole(&part, "data-last-line"), open);
            if part.has_attribute("data-last-line") {
                self.ended(opening);
            }
        }
    }

    /// Folds or unfolds all of a group; its last line is known once it has ended.
    fn fold(&self, opening: u32, until: Option<u32>, open: bool) {
        for part in all(&self.frame, &format!("details[data-group=\"{opening}\"]")) {
            set(&part, "open", open);
            // The part with the beginning stands for all of them.
            if let Ok(Some(rest)) = part.closest("li.rest") {
                set(&rest, "hidden", !open);
            }
        }
        let next = chunk_of(opening).saturating_add(CHUNK);
        let inside = |first: &u32| until.is_some_and(|until| first.saturating_add(CHUNK - 1) <= until);
        for first in (next..).step_by(CHUNK as usize).take_while(inside) {
            if let Some(chunk) = self.chunk(first) {
                set(&chunk, "hidden", !open);
            }
        }
    }

    /// What was loaded of a group before it ended does not know where it does: its beginning is asked for anew.
    fn ended(&self, opening: u32) {
        let old = format!("details[data-group=\"{opening}\"]:not([data-last-line])");
        if matches!(self.frame.query_selector(&old), Ok(Some(_))) {
            self.want(chunk_of(opening));
        }
    }

    /// Unfolds the groups that a line is in.
    pub(super) fn unfold_around(&self, line: u32) {
        for part in all(&self.frame, PART) {
            let (opening, until) = (whole(&part, "data-group"), whole(&part, "data-last-line"));
            let Some(opening) = opening.filter(|opening| *opening < line) else { continue };
            if until.is_some_and(|until| line <= until) && !part.has_attribute("open") {
                self.groups.borrow_mut().insert(opening, true);
                self.fold(opening, until, true);
            }
        }
    }
}

/// Says yes or no by an attribute, and leaves alone what says so already.
fn set(element: &Element, name: &str, on: bool) {
    if element.has_attribute(name) != on {
        let _ = element.toggle_attribute(name);
    }
}

pub fn toggled(event: &Event) {
    let (Some(viewer), Some(part)) = (viewer(), around(event, PART)) else { return };
    if let Some(opening) = whole(&part, "data-group") {
        let open = part.has_attribute("open");
        viewer.groups.borrow_mut().insert(opening, open);
        viewer.fold(opening, whole(&part, "data-last-line"), open);
    }
}
