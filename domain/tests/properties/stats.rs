use domain::stats::{quantile, wilson};
use proptest::prelude::*;

proptest! {
    #[test]
    fn the_interval_holds_the_rate_and_stays_between_0_and_1(n in 1_u64..1_000_000, part in 0.0..=1.0_f64) {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "test")]
        let successes = (part * n as f64) as u64;
        let interval = wilson(successes, n).unwrap();
        prop_assert!(0.0 <= interval.low && interval.low <= interval.rate);
        prop_assert!(interval.rate <= interval.high && interval.high <= 1.0);
    }

    #[test]
    fn more_trials_make_it_narrower(n in 1_u64..10_000, successes in 0_u64..10_000) {
        prop_assume!(successes <= n);
        let width = |k: u64| wilson(successes * k, n * k).map(|i| i.high - i.low).unwrap();
        prop_assert!(width(10) < width(1));
    }

    #[test]
    fn a_quantile_is_one_of_the_values_and_covers_its_share(
        mut values in proptest::collection::vec(any::<i64>(), 1..50),
        q in 0.0..=1.0_f64,
    ) {
        values.sort_unstable();
        let found = quantile(&values, q).unwrap();
        prop_assert!(values.contains(&found));
        let covered = values.iter().filter(|v| **v <= found).count();
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let share = covered as f64 / values.len() as f64;
        prop_assert!(share >= q);
    }
}
