//! The life of a recommendation: open until it is decided, expires, or a newer answer takes its place.

use serde::{Deserialize, Serialize};

/// Where a recommendation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RecommendationState {
    /// Awaiting approval.
    Open,
    /// Approved or rejected.
    Decided,
    /// Nobody decided in time.
    Expired,
    /// A newer recommendation for the same incident came.
    Superseded,
}

/// A move that the state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a recommendation that is {from} cannot become {to}")]
pub struct IllegalMove {
    /// Where it stands.
    pub from: RecommendationState,
    /// Where it should have gone.
    pub to: RecommendationState,
}

impl RecommendationState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Open, Self::Decided, Self::Expired, Self::Superseded];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Decided => "decided",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    /// The move to `to`, where it is allowed: only from open, and never back to it.
    pub fn go(self, to: Self) -> Result<Self, IllegalMove> {
        if self == Self::Open && to != Self::Open { Ok(to) } else { Err(IllegalMove { from: self, to }) }
    }
}

impl std::fmt::Display for RecommendationState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_open_recommendation_moves() {
        use RecommendationState as S;
        for from in S::ALL {
            for to in S::ALL {
                assert_eq!(from.go(to).is_ok(), from == S::Open && to != S::Open, "{from} to {to}");
            }
        }
    }
}
