//! What was heard and what is shown, by the numbers of events: they grow by one each, so a gap is seen, and a page that
//! includes fewer than the one shown is older. Knows neither streams nor pages.

/// The newest event that was heard, and the newest that the page shown includes for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    heard: i64,
    shown: i64,
}

/// What an event is to this page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The page includes it.
    Known,
    /// The next one.
    Next,
    /// Something between was missed.
    Gap,
}

impl Order {
    /// A page that includes everything up to `shown`.
    pub const fn new(shown: i64) -> Self {
        Self { heard: shown, shown }
    }

    /// The newest event that was heard: a stream goes on after it.
    pub const fn heard(self) -> i64 {
        self.heard
    }

    /// Hears an event.
    pub fn event(&mut self, id: i64) -> News {
        if id <= self.heard {
            return News::Known;
        }
        let missed = id - 1 > self.heard;
        self.heard = id;
        if missed { News::Gap } else { News::Next }
    }

    /// Hears where a stream begins, or where somebody else's stands; whether something was missed. `resumed` is false where
    /// the server could not go on from where it was asked to: then nobody knows what happened, and a number that is lower
    /// than those known tells of another database, whose pages are taken as they come.
    pub fn begins(&mut self, id: i64, resumed: bool) -> bool {
        if !resumed && id < self.heard.max(self.shown) {
            *self = Self { heard: id, shown: 0 };
            return true;
        }
        let missed = id > self.heard;
        self.heard = self.heard.max(id);
        missed
    }

    /// A page arrived that includes everything up to `id`: whether it may be shown, or is older than what is.
    pub fn shows(&mut self, id: i64) -> bool {
        if id < self.shown {
            return false;
        }
        self.shown = id;
        self.heard = self.heard.max(id);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_heard_once_and_a_gap_is_noticed() {
        let mut order = Order::new(7);
        assert_eq!((order.event(7), order.event(8), order.event(8)), (News::Known, News::Next, News::Known));
        assert_eq!((order.event(11), order.heard()), (News::Gap, 11));
    }

    #[test]
    fn what_the_page_includes_already_is_no_news() {
        let mut order = Order::new(7);
        assert!(order.shows(12));
        assert_eq!((order.event(10), order.event(12), order.event(13)), (News::Known, News::Known, News::Next));
    }

    #[test]
    fn an_older_page_is_not_shown() {
        let mut order = Order::new(7);
        assert!(order.shows(9) && order.shows(9) && !order.shows(8));
    }

    #[test]
    fn whoever_comes_late_knows_that_something_was_missed() {
        let mut order = Order::new(7);
        assert!(!order.begins(7, true), "nothing happened in between");
        assert!(order.begins(9, true), "another tab has heard more");
        assert!(!order.begins(8, true), "another tab has heard less");
        assert!(order.begins(30, false), "the server no longer has what was between");
        assert_eq!(order.heard(), 30);
    }

    #[test]
    fn another_database_begins_anew() {
        let mut order = Order::new(500);
        assert!(order.begins(3, false));
        assert!(order.shows(3), "its pages are not taken for old ones");
        assert_eq!(order.event(4), News::Next);
    }
}
