//! In which order open recommendations are looked at: by the moment at which somebody has to begin.
//!
//! The deadline alone is not it. A risky strategy takes longer to decide: two people, the ticket read with care, its target's
//! name typed. So what is risky counts as due earlier by the time that deciding it takes, and whoever works the list from its
//! top gets through in time. The rule looks at no clock: the order of two recommendations never changes while they wait, and
//! holds from one page of a list to the next.

use super::{Recommendation, Risk, Strategy};
use crate::time::Timestamp;

impl Risk {
    /// How much earlier than its deadline somebody has to begin, milliseconds.
    pub const fn head_start_ms(self) -> i64 {
        match self {
            Self::Low => 0,
            Self::Medium => 2 * 60_000,
            // A second person has to be found.
            Self::High => 5 * 60_000,
        }
    }
}

impl Recommendation {
    /// The risk of what it proposes first; low where it proposes nothing.
    pub fn risk(&self) -> Risk {
        self.content.strategies.first().map_or(Risk::Low, Strategy::risk)
    }

    /// When somebody has to begin; open ones are listed by it, earliest first.
    pub fn begin_by(&self) -> Timestamp {
        self.expires_at.plus_ms(-self.risk().head_start_ms())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::Actor,
        ids::RecommendationId,
        recommendation::{Origin, RecommendationState, intake},
    };
    use serde_json::json;

    const MINUTE: i64 = 60_000;

    fn of(risk: &str, expires_in: i64) -> Recommendation {
        let body = json!({
            "incident": { "id": "inc-1", "signal_type": "OOMKilled", "severity": "high" },
            "analysis_summary": "x", "root_cause_assessment": "x",
            "strategies": [{ "action_type": "a", "workflow_id": "w", "confidence": 0.5, "rationale": "r", "estimated_risk": risk }],
        });
        Recommendation {
            id: RecommendationId::new(format!("{risk}-{expires_in}")),
            revision: 1,
            state: RecommendationState::Open,
            origin: Origin::Model,
            proposer: Actor::system("test"),
            cluster: "c".into(),
            created_at: Timestamp::default(),
            expires_at: Timestamp::from_millis(expires_in * MINUTE),
            content: intake::parse(&body).expect("of this form"),
        }
    }

    #[test]
    fn what_takes_longer_to_decide_comes_first_unless_the_other_is_about_to_expire() {
        let mut list = [of("low", 4), of("low", 9), of("medium", 8), of("high", 10), of("high", 8), of("low", 2)];
        list.sort_by_key(Recommendation::begin_by);
        let order: Vec<_> = list.iter().map(|r| r.id.as_str()).collect();
        assert_eq!(order, ["low-2", "high-8", "low-4", "high-10", "medium-8", "low-9"]);
    }

    #[test]
    fn a_higher_risk_never_starts_later() {
        for pair in Risk::ALL.windows(2) {
            assert!(pair[0].head_start_ms() < pair[1].head_start_ms());
        }
    }

    #[test]
    fn nothing_proposed_is_no_risk() {
        let mut empty = of("high", 3);
        empty.content.strategies.clear();
        assert_eq!((empty.risk(), empty.begin_by()), (Risk::Low, empty.expires_at));
    }
}
