//! How the picture is looked at: how large, what of it is unfolded, what is sought in it. Read from the address and written
//! into links.

use crate::{islands::zoom::STEPS, query::Query};

/// How large the picture is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zoom {
    /// As it is drawn.
    #[default]
    Natural,
    /// All of it, as large as there is room.
    Fit,
    /// In percent of how it is drawn.
    Percent(u16),
}

impl Zoom {
    fn of(word: &str) -> Self {
        match word {
            "fit" => Self::Fit,
            _ => match word.parse::<u16>() {
                Ok(100) | Err(_) => Self::Natural,
                Ok(percent) => Self::Percent(percent.clamp(5, 400)),
            },
        }
    }

    fn word(self) -> Option<String> {
        match self {
            Self::Natural => None,
            Self::Fit => Some("fit".to_owned()),
            Self::Percent(percent) => Some(percent.to_string()),
        }
    }

    /// In percent; what fits is as large as it happens to be.
    pub const fn percent(self) -> u16 {
        match self {
            Self::Natural | Self::Fit => 100,
            Self::Percent(percent) => percent,
        }
    }

    /// The next smaller and the next larger size.
    pub fn steps(self) -> (Self, Self) {
        let now = self.percent();
        let to = |found: Option<&u16>| found.map_or(self, |percent| Self::of(&percent.to_string()));
        (to(STEPS.iter().rev().find(|step| **step < now)), to(STEPS.iter().find(|step| **step > now)))
    }
}

/// What is unfolded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unfold {
    /// Everything.
    pub all: bool,
    /// Layers, from and to. A single one shows its tasks, several show each layer by itself.
    spans: Vec<(usize, usize)>,
}

impl Unfold {
    fn of(text: &str) -> Self {
        let span = |part: &str| match part.split_once('-') {
            Some((from, to)) => Some((from.parse().ok()?, to.parse().ok()?)),
            None => part.parse().ok().map(|layer| (layer, layer)),
        };
        Self { all: text == "all", spans: text.split(',').filter_map(span).take(64).collect() }
    }

    fn word(&self) -> Option<String> {
        if self.all {
            return Some("all".to_owned());
        }
        let span = |(from, to): &(usize, usize)| if from == to { from.to_string() } else { format!("{from}-{to}") };
        let words: Vec<String> = self.spans.iter().map(span).collect();
        (!words.is_empty()).then(|| words.join(","))
    }

    /// Whether the tasks of a layer stay apart.
    pub fn apart(&self, layer: usize) -> bool {
        self.spans.iter().any(|(from, to)| from == to && *from == layer)
    }

    /// Whether a layer is not joined with others.
    pub fn alone(&self, layer: usize) -> bool {
        self.spans.iter().any(|(from, to)| (*from..=*to).contains(&layer))
    }

    /// Whether anything is.
    pub fn any(&self) -> bool {
        self.all || !self.spans.is_empty()
    }

    /// With these layers unfolded, too.
    #[must_use]
    pub fn and(&self, layers: (usize, usize)) -> Self {
        let mut spans = self.spans.clone();
        spans.push(layers);
        Self { all: self.all, spans }
    }
}

/// How the picture is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// How large.
    pub zoom: Zoom,
    /// What is unfolded.
    pub unfold: Unfold,
    /// What is sought among the tasks' names.
    pub seek: Option<String>,
}

impl View {
    /// What the address says.
    pub fn of(query: &Query) -> Self {
        Self {
            zoom: query.get("zoom").map(Zoom::of).unwrap_or_default(),
            unfold: query.get("unfold").map(Unfold::of).unwrap_or_default(),
            seek: query.get("seek").map(|text| text.chars().take(64).collect()),
        }
    }

    /// The address with this in it.
    pub fn written(&self, query: Query) -> Query {
        query
            .with("zoom", self.zoom.word().as_deref())
            .with("unfold", self.unfold.word().as_deref())
            .with("seek", self.seek.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["", "?zoom=fit", "?zoom=50", "?unfold=all", "?unfold=3%2C5-9", "?seek=a+b"] {
            let view = View::of(&Query::parse(text.trim_start_matches('?')));
            assert_eq!(view.written(Query::default()).to_string(), text);
        }
        assert_eq!(View::of(&Query::parse("zoom=100&unfold=x,1-")), View::default());
        assert_eq!(Zoom::of("9999").percent(), 400);
    }

    #[test]
    fn buttons_lead_to_the_next_size_and_stop_at_the_last() {
        assert_eq!(Zoom::Natural.steps(), (Zoom::Percent(70), Zoom::Percent(140)));
        assert_eq!(Zoom::Percent(60).steps(), (Zoom::Percent(50), Zoom::Percent(70)));
        assert_eq!(Zoom::Percent(10).steps().0, Zoom::Percent(10));
    }

    #[test]
    fn a_layer_is_unfolded_in_two_steps() {
        let unfold = Unfold::default().and((0, 3));
        assert!(unfold.alone(2) && !unfold.apart(2) && !unfold.alone(4));
        let unfold = unfold.and((2, 2));
        assert!(unfold.apart(2) && !unfold.apart(1));
    }
}
