//! How much of a page is asked for. A page that follows what it shows asks for itself again and again: it needs neither the
//! document around it nor what can't have changed.

#[cfg(feature = "ssr")]
use http::HeaderMap;
#[cfg(feature = "ssr")]
use leptos::prelude::use_context;

/// How much of a page is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// The page in its frame: what an address opens.
    #[default]
    Whole,
    /// What stands in `<main>`, and what changes of the frame.
    Page,
    /// Only what changes of the frame; the page itself is not asked for.
    Frame,
}

impl Part {
    /// The header that asks for less than the whole.
    pub const HEADER: &'static str = "kubernaut-part";

    /// What the header says; none for the whole.
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Whole => None,
            Self::Page => Some("page"),
            Self::Frame => Some("frame"),
        }
    }
}

#[cfg(feature = "ssr")]
impl Part {
    /// What the headers ask for; unknown words count as not said.
    pub fn of(headers: &HeaderMap) -> Self {
        let said = headers.get(Self::HEADER).and_then(|value| value.to_str().ok());
        [Self::Page, Self::Frame].into_iter().find(|part| part.word() == said).unwrap_or_default()
    }

    /// What the request asks for that is being answered.
    pub fn asked() -> Self {
        use_context::<http::request::Parts>().map(|parts| Self::of(&parts.headers)).unwrap_or_default()
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_page_is_whole_unless_a_known_part_is_asked_for() {
        let asked = |word: &'static str| {
            Part::of(&HeaderMap::from_iter([(
                http::HeaderName::from_static(Part::HEADER),
                HeaderValue::from_static(word),
            )]))
        };
        assert_eq!(Part::of(&HeaderMap::new()), Part::Whole);
        assert_eq!((asked("page"), asked("frame"), asked("half")), (Part::Page, Part::Frame, Part::Whole));
    }
}
