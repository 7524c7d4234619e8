//! In which order hits stand: by how exactly their labels fit, then by text and meaning together.

use crate::playbook::{PlaybookId, Version};
use std::{cmp::Ordering, collections::HashMap};

/// So many hits at most of a search by words, and as many by meaning.
pub const BY_QUESTION: usize = 100;
/// Two texts less alike than this (cosine) have no meaning in common. Sentence models put unrelated texts around 0.1.
pub const LEAST_ALIKE: f32 = 0.25;
/// The constant of reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): how little the first places stand out.
const FLAT: f64 = 60.0;

/// A version that fits a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogHit {
    /// The playbook.
    pub id: PlaybookId,
    /// The version.
    pub version: Version,
    /// How general its labels are where the filter asks for one: the sum of the [`weight`](super::weight)s of those that are `*`.
    pub general: u32,
}

/// A hit in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// What was found.
    pub hit: CatalogHit,
    /// Whether its text was found.
    pub by_text: bool,
    /// How alike its meaning is to the question's, 0 to 1; none where that was not among the reasons.
    pub alike: Option<f32>,
}

/// The hits of both searches, each the best first, in one order: the more exact labels before all else, then the sum of
/// `1 / (60 + place)` over the searches that found it, then the id.
pub fn order(text: Vec<CatalogHit>, meaning: Vec<(CatalogHit, f32)>) -> Vec<Ranked> {
    let mut all: HashMap<(PlaybookId, Version), (Ranked, f64)> = HashMap::new();
    for (place, hit) in (1_u32..).zip(text) {
        let key = (hit.id.clone(), hit.version.clone());
        all.entry(key).or_insert_with(|| (Ranked { hit, by_text: true, alike: None }, share(place)));
    }
    for (place, (hit, alike)) in (1_u32..).zip(meaning) {
        let key = (hit.id.clone(), hit.version.clone());
        let (ranked, score) = all.entry(key).or_insert_with(|| (Ranked { hit, by_text: false, alike: None }, 0.0));
        ranked.alike = Some(alike);
        *score += share(place);
    }
    let mut all: Vec<_> = all.into_values().collect();
    all.sort_by(|(a, of_a), (b, of_b)| {
        let general = a.hit.general.cmp(&b.hit.general);
        general.then(of_b.total_cmp(of_a)).then_with(|| a.hit.id.as_str().cmp(b.hit.id.as_str()))
    });
    all.into_iter().map(|(ranked, _)| ranked).collect()
}

fn share(place: u32) -> f64 {
    1.0 / (FLAT + f64::from(place))
}

/// A vector of the same direction and of length 1; none where it has no length, or holds what is no number.
pub fn unit(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if !length.is_finite() || length <= f32::EPSILON {
        return None;
    }
    for x in &mut vector {
        *x /= length;
    }
    Some(vector)
}

/// Those whose vectors are nearest to the question's, the nearest first, at most so many. All vectors have length 1, so that the
/// cosine is the sum of products; one of another dimension is of another model and is like nothing.
pub fn nearest<T>(
    question: &[f32],
    all: impl IntoIterator<Item = (T, impl AsRef<[f32]>)>,
    most: usize,
) -> Vec<(T, f32)> {
    let alike = |vector: &[f32]| {
        if vector.len() == question.len() { vector.iter().zip(question).map(|(a, b)| a * b).sum::<f32>() } else { 0.0 }
    };
    let with = all.into_iter().map(|(of, vector)| (of, alike(vector.as_ref())));
    let mut near: Vec<(T, f32)> = with.filter(|(_, alike)| *alike >= LEAST_ALIKE).collect();
    near.sort_by(|(_, a), (_, b)| b.partial_cmp(a).unwrap_or(Ordering::Equal));
    near.truncate(most);
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(id: &str, general: u32) -> CatalogHit {
        CatalogHit { id: id.parse().expect(id), version: "1.0.0".parse().expect("a version"), general }
    }

    fn names(ranked: &[Ranked]) -> Vec<&str> {
        ranked.iter().map(|ranked| ranked.hit.id.as_str()).collect()
    }

    #[test]
    fn exact_labels_come_first_then_both_searches_together() {
        let text = vec![hit("a", 0), hit("b", 0), hit("general", 128)];
        let meaning = vec![(hit("general", 128), 0.9), (hit("b", 0), 0.8), (hit("c", 0), 0.7)];
        let ranked = order(text, meaning);
        assert_eq!(names(&ranked), ["b", "a", "c", "general"]);
        assert_eq!((ranked[0].by_text, ranked[0].alike), (true, Some(0.8)));
        assert_eq!((ranked[1].by_text, ranked[1].alike), (true, None));
        assert_eq!((ranked[2].by_text, ranked[2].alike), (false, Some(0.7)));
    }

    #[test]
    fn one_search_alone_keeps_its_order_and_none_finds_nothing() {
        let text: Vec<_> = ["z", "m", "a"].into_iter().map(|id| hit(id, 0)).collect();
        assert_eq!(names(&order(text, Vec::new())), ["z", "m", "a"]);
        assert_eq!(names(&order(Vec::new(), vec![(hit("y", 0), 0.5), (hit("b", 0), 0.4)])), ["y", "b"]);
        assert!(order(Vec::new(), Vec::new()).is_empty());
    }

    #[test]
    fn vectors_are_made_of_length_one_where_they_can_be() {
        assert_eq!(unit(vec![3.0, -4.0]), Some(vec![0.6, -0.8]));
        for bad in [vec![], vec![0.0, 0.0], vec![f32::NAN], vec![f32::INFINITY]] {
            assert_eq!(unit(bad), None);
        }
    }

    #[test]
    fn the_nearest_come_first_and_strangers_not_at_all() {
        let all =
            [("far", vec![0.0, 1.0]), ("near", vec![1.0, 0.0]), ("between", vec![0.6, 0.8]), ("other", vec![1.0])];
        let near = nearest(&[1.0, 0.0], all.clone(), 5);
        assert_eq!(near.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["near", "between"]);
        assert_eq!(nearest(&[1.0, 0.0], all, 1).len(), 1);
        assert!(nearest(&[f32::NAN, 0.0], [("x", vec![1.0, 0.0])], 5).is_empty(), "no number is like nothing");
    }
}
