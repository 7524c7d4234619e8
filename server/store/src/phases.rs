//! How long things take, kept in few numbers: buckets that grow with the length, so that every length is known to within
//! 1.6 % and years of executions take hardly more room than a day's. Pure.

use std::{collections::BTreeMap, fmt};

/// Buckets per doubling of the length; lengths below this number (milliseconds) are kept exactly.
const PER_OCTAVE: i64 = 32;
const BITS: u32 = 5;

/// A group's samples are thinned to this many before quantiles are taken of them.
const MOST_SAMPLES: i64 = 1000;

/// The bucket of a length in milliseconds; a negative one counts as 0.
fn bucket(ms: i64) -> i64 {
    let ms = ms.max(0);
    if ms < PER_OCTAVE {
        return ms;
    }
    let shift = ms.ilog2() - BITS;
    i64::from(shift) * PER_OCTAVE + (ms >> shift)
}

/// The length that a bucket stands for: its middle.
fn middle(bucket: i64) -> i64 {
    if bucket < PER_OCTAVE {
        return bucket.max(0);
    }
    let shift = ((bucket / PER_OCTAVE) - 1).min(57);
    let low = (PER_OCTAVE + bucket % PER_OCTAVE) << shift;
    low + (1 << shift) / 2
}

/// How many of each phase fell into each bucket. As text: `phase.bucket=count`, separated by spaces; what stands there twice is
/// added up, so texts can be put one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Histogram(BTreeMap<String, Buckets>);

/// How many fell into each bucket, by the bucket's number.
type Buckets = Vec<i64>;

impl Histogram {
    /// Counts one length.
    pub(crate) fn add(&mut self, phase: &str, ms: i64) {
        count(self.of(phase), bucket(ms), 1);
    }

    /// Adds what another one holds.
    pub(crate) fn join(&mut self, other: &Self) {
        for (phase, buckets) in &other.0 {
            let own = self.of(phase);
            for (bucket, n) in counted(buckets) {
                count(own, bucket, n);
            }
        }
    }

    /// Adds what a text holds; `None` when it is no such text.
    pub(crate) fn read(&mut self, text: &str) -> Option<()> {
        for item in text.split(' ').filter(|item| !item.is_empty()) {
            let (place, n) = item.split_once('=')?;
            let (phase, bucket) = place.rsplit_once('.')?;
            let bucket = bucket.parse().ok().filter(|bucket| (0..=self::bucket(i64::MAX)).contains(bucket))?;
            let n = n.parse().ok()?;
            // As a rule the phase is known: its name is not made anew.
            match self.0.get_mut(phase) {
                Some(buckets) => count(buckets, bucket, n),
                None => count(self.of(phase), bucket, n),
            }
        }
        Some(())
    }

    /// Samples by phase.
    pub(crate) fn samples(&self) -> BTreeMap<String, Vec<i64>> {
        self.0.iter().map(|(phase, buckets)| (phase.clone(), samples(&counted(buckets).collect::<Vec<_>>()))).collect()
    }

    /// The buckets of a phase.
    fn of(&mut self, phase: &str) -> &mut Buckets {
        self.0.entry(phase.to_owned()).or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (phase, buckets) in &self.0 {
            for (bucket, n) in counted(buckets) {
                write!(f, "{between}{phase}.{bucket}={n}")?;
                between = " ";
            }
        }
        Ok(())
    }
}

fn count(buckets: &mut Buckets, bucket: i64, n: i64) {
    let place = usize::try_from(bucket).unwrap_or_default();
    if buckets.len() <= place {
        buckets.resize(place + 1, 0);
    }
    buckets[place] += n;
}

/// Ascending pairs of bucket and how many fell into it, without the empty ones.
fn counted(buckets: &Buckets) -> impl Iterator<Item = (i64, i64)> {
    (0..).zip(buckets).filter(|(_, n)| **n != 0).map(|(bucket, n)| (bucket, *n))
}

/// Samples that have the same quantiles as all lengths in these buckets, ascending. `buckets` are ascending pairs of bucket
/// and how many fell into it.
fn samples(buckets: &[(i64, i64)]) -> Vec<i64> {
    let total: i64 = buckets.iter().map(|(_, count)| count).sum();
    let wanted = total.min(MOST_SAMPLES);
    let mut samples = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
    let mut passed = 0;
    let mut taken = 0;
    for (bucket, count) in buckets {
        passed += count;
        // The sample of rank k stands for the length of rank k·total/wanted.
        while taken < wanted && (taken + 1) * total <= passed * wanted {
            samples.push(middle(*bucket));
            taken += 1;
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::stats::quantile;

    #[test]
    fn a_bucket_is_within_a_sixtieth_of_the_length() {
        let mut last = -1;
        for ms in (0..100_000).chain([1 << 31, 86_400_000, 1 << 52]) {
            let middle = middle(bucket(ms));
            assert!((middle - ms).abs() * 62 <= ms, "{ms} became {middle}");
        }
        for ms in 0..100_000 {
            assert!(bucket(ms) == last || bucket(ms) == last + 1, "no bucket is left out before {ms}");
            last = bucket(ms);
        }
        assert_eq!(bucket(-5), 0);
        assert!(middle(bucket(i64::MAX)) > 0);
    }

    #[test]
    fn a_histogram_is_its_text_and_texts_add_up() {
        let mut one = Histogram::default();
        assert!(one.is_empty());
        one.add("run", 3);
        one.add("decide", 1000);
        one.add("run", 3);
        let text = one.to_string();
        assert_eq!(text, format!("decide.{}=1 run.3=2", bucket(1000)));
        let mut two = Histogram::default();
        two.read(&format!("{text} {text}")).unwrap();
        assert_eq!(two.samples()["run"], [3, 3, 3, 3]);
        two.read("").unwrap();
        let mut three = one.clone();
        three.join(&one);
        assert_eq!(three, two);
        for wrong in ["run", "run=1", "run.x=1", "run.1=x", "run.-1=1", "run.1000000000=1"] {
            assert_eq!(Histogram::default().read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn few_samples_are_kept_and_many_are_thinned_alike() {
        assert_eq!(samples(&[(3, 2), (7, 1)]), [3, 3, 7]);
        assert_eq!(samples(&[]), [0; 0]);
        let many = samples(&[(1, 50_000), (2, 39_000), (9, 11_000)]);
        assert_eq!(many.len(), 1000);
        assert_eq!(quantile(&many, 0.5), Some(1));
        assert_eq!(quantile(&many, 0.89), Some(2));
        assert_eq!(quantile(&many, 0.9), Some(9));
    }
}
