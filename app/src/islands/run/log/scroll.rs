//! Where the log is scrolled to: what is read stays where it is while lines come, and who is at the end stays there.

use super::{Viewer, viewer};
use crate::islands::browser::elements::all;
use leptos::prelude::document;
use web_sys::{Element, Event};

/// Closer to the end than this in pixels, it is followed.
const NEAR_END: i32 = 40;

/// Whoever scrolls away from the end reads; at the end it is followed.
pub(super) fn scrolled(event: &Event) {
    let Some(viewer) = viewer() else { return };
    if event.target().as_ref() == Some(viewer.frame.as_ref()) {
        viewer.top.set(viewer.frame.scroll_top());
        viewer.at_end.set(viewer.near_end() && viewer.meant.get().is_none());
        viewer.first.replace(viewer.first_in_sight());
    }
}

/// Lines break elsewhere in a frame of another width: what was read stays in sight.
pub(super) fn resized() {
    let Some(viewer) = viewer() else { return };
    if viewer.at_end.get() {
        viewer.to_the_end();
        return;
    }
    let first = viewer.first.borrow().clone();
    if let Some((line, share)) = first.filter(|(line, _)| line.is_connected()) {
        viewer.scroll(viewer.place(&line) + share * line.get_bounding_client_rect().height());
    }
}

impl Viewer {
    /// Where an element begins, from the frame's top, in pixels; above it is less than 0.
    pub(super) fn below(&self, element: &Element) -> f64 {
        element.get_bounding_client_rect().top() - self.frame.get_bounding_client_rect().top()
    }

    /// Where an element begins, from the top of all that the frame scrolls over.
    pub(super) fn place(&self, element: &Element) -> f64 {
        self.below(element) + f64::from(self.frame.scroll_top())
    }

    /// The line at the top of the frame, and which share of it is above. The browser is asked what is there, which costs the same in a log of any
    /// length; where the top is out of the window or under something, the lines are gone through.
    fn first_in_sight(&self) -> Option<(Element, f64)> {
        let frame = self.frame.get_bounding_client_rect();
        #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
        let (x, y) = ((frame.left() + frame.width() / 2.0) as f32, (frame.top() + 4.0) as f32);
        let line = document().element_from_point(x, y).and_then(|element| element.closest("li").ok().flatten());
        let line = line.filter(|line| self.frame.contains(Some(line))).or_else(|| self.read_now())?;
        let height = line.get_bounding_client_rect().height().max(1.0);
        Some((line.clone(), -self.below(&line) / height))
    }

    pub(super) fn scroll(&self, to: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "pixels of a log")]
        self.frame.set_scroll_top(to as i32);
        self.top.set(self.frame.scroll_top());
    }

    pub(super) fn to_the_end(&self) {
        self.scroll(self.frame.scroll_height().into());
    }

    /// To the end again after something grew, unless the reader has scrolled away: the event that tells of it may be still to come.
    pub(super) fn follow(&self) {
        if self.frame.scroll_top() < self.top.get() && !self.near_end() {
            self.at_end.set(false);
        }
        if self.at_end.get() {
            self.to_the_end();
        }
    }

    fn near_end(&self) -> bool {
        self.frame.scroll_height() - self.frame.scroll_top() - self.frame.client_height() < NEAR_END
    }

    /// Does what changes heights while what is read stays where it is; what was folded away by it has no place any more.
    pub(super) fn steady(&self, act: impl FnOnce()) {
        let read = self.read_now().map(|element| (self.below(&element), element));
        act();
        let Some((before, element)) = read.filter(|(_, element)| element.get_bounding_client_rect().height() > 0.0)
        else {
            return;
        };
        let moved = self.below(&element) - before;
        if moved.abs() >= 1.0 {
            self.scroll(f64::from(self.frame.scroll_top()) + moved);
        }
    }

    /// What is read: what has the focus, where that is in sight, else the first line in sight.
    fn read_now(&self) -> Option<Element> {
        let frame = self.frame.get_bounding_client_rect();
        let seen = |element: &Element| {
            let place = element.get_bounding_client_rect();
            place.bottom() > frame.top() && place.top() < frame.bottom()
        };
        let inside = |active: &Element| !active.is_same_node(Some(&self.frame)) && self.frame.contains(Some(active));
        let focused = document().active_element().filter(|active| inside(active) && seen(active));
        let first = || {
            let filled = |chunk: &Element| chunk.first_child().is_some() && seen(chunk);
            let mut chunks = all(&self.frame, ".chunk").into_iter().filter(filled);
            chunks.find_map(|chunk| all(&chunk, "li").into_iter().find(seen))
        };
        focused.or_else(first)
    }
}
