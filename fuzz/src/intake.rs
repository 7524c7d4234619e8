//! A model's answer: whatever is taken is written and read again, within its bounds, and holds nothing that a database can't keep.

use crate::{Came, document, kind, refused, texts};
use domain::recommendation::{Content, intake};

pub const SEEDS: &[&[u8]] = &[include_bytes!("../../domain/tests/seeds/recommendation.json")];

pub fn run(input: &[u8]) -> Came {
    let document = match document(input) {
        Ok(document) => document,
        Err(came) => return came,
    };
    let content = match intake::parse(&document) {
        Ok(content) => content,
        Err(faults) => return refused(&document, faults.as_slice()),
    };
    let written = serde_json::to_value(&content).expect("plain data");
    let again: Content = serde_json::from_value(written.clone()).expect("what was stored is read again");
    assert_eq!(again, content);
    let mut all = Vec::new();
    texts(&written, &mut all);
    assert!(all.iter().all(|text| !text.contains('\0')), "NUL got through");
    assert!((1..=32).contains(&content.strategies.len()) && content.warnings.len() <= 32);
    assert!(content.additional_findings.len() <= 32);
    for strategy in &content.strategies {
        assert!(strategy.confidence.is_some_and(|stated| (0.0..=1.0).contains(&stated)), "{strategy:?}");
    }
    Came::Taken(kind((content.strategies.len(), content.warnings.len(), content.additional_findings.len())))
}
