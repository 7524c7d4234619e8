//! Who may know whom: the arrows of ARCHITECTURE.md, read from cargo's own metadata.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};

/// Each room and the rooms it may know.
const ARROWS: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("app", &["domain"]),
    ("store", &["domain"]),
    ("controller", &["domain"]),
    ("sandbox", &["domain"]),
    ("history", &["domain"]),
    ("meaning", &["domain"]),
    ("server", &["domain", "app", "store", "controller", "sandbox", "history", "meaning"]),
    ("bench", &["domain", "store", "history", "meaning"]),
    ("xtask", &[]),
];

/// What a room must never depend on, however indirectly it is named in its own manifest.
const FORBIDDEN: [(&str, &[&str]); 7] = [
    ("domain", &["sqlx", "kube", "axum", "leptos", "tokio", "rand", "uuid", "chrono"]),
    ("app", &["sqlx", "kube", "k8s-openapi"]),
    ("store", &["kube", "axum", "leptos"]),
    ("controller", &["sqlx", "axum", "leptos"]),
    ("sandbox", &["sqlx", "axum", "leptos"]),
    ("meaning", &["sqlx", "kube", "axum", "leptos", "reqwest"]),
    ("history", &["sqlx", "kube", "axum", "leptos", "tokio"]),
];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata");
    metadata
        .packages
        .iter()
        .map(|package| {
            let names =
                package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal).map(|d| d.name.clone());
            (package.name.to_string(), names.collect())
        })
        .collect()
}

#[test]
fn every_arrow_points_the_right_way() {
    let all = dependencies();
    let rooms: BTreeSet<&str> = all.keys().map(String::as_str).collect();
    let named: BTreeSet<&str> = ARROWS.iter().map(|(room, _)| *room).collect();
    assert_eq!(rooms, named, "a room was added or removed: say in ARCHITECTURE.md and here who may know whom");
    for (room, allowed) in ARROWS {
        for other in all[room].iter().filter(|name| rooms.contains(name.as_str())) {
            assert!(allowed.contains(&other.as_str()), "{room} knows {other}, but may only know {allowed:?}");
        }
    }
}

#[test]
fn rooms_stay_clear_of_what_is_not_theirs() {
    let all = dependencies();
    for (room, forbidden) in FORBIDDEN {
        for name in forbidden {
            assert!(!all[room].contains(*name), "{room} depends on {name}, which is another room's business");
        }
    }
}
