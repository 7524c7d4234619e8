//! Searching the catalog: labels and tags narrow it down and the more exact come first; what is asked in words is looked for in
//! texts and, where a model of embeddings is configured, by meaning, both in one order (`domain::search`, docs/search.md).

use super::{Services, projected, store_fault};
use domain::{
    identity::{Caller, Right},
    paging::{Page, PageOf},
    ports::{CatalogFilter, NoMeaning, PlaybookRecord, StoreError, VersionKey},
    search::{self, BY_QUESTION, CatalogHit, Meaning, Ranked},
    services::{Answer, CatalogItem, Found},
};
use std::collections::HashMap;

/// Versions that labels leave are compared by meaning, at most so many.
const LABELLED: usize = 5000;

impl Services {
    pub(super) async fn found(&self, caller: &Caller, filter: &CatalogFilter, page: &Page) -> Answer<Found> {
        match &filter.q {
            Some(q) if !q.trim().is_empty() => self.by_question(caller, q, filter, page).await,
            _ => {
                let filter = CatalogFilter { q: None, ..filter.clone() };
                let found = self.world.catalog.search(&filter, page).await.map_err(store_fault)?;
                let items = found.items.into_iter().map(|record| (record, None)).collect();
                let found = PageOf { items, next_cursor: found.next_cursor };
                Ok(Found { page: self.explained(caller, &filter, found).await?, meaning: Meaning::NotAsked })
            }
        }
    }

    /// Hits in their order. A cursor is a place in it: who turns pages while the catalog changes may see one twice.
    async fn by_question(&self, caller: &Caller, q: &str, filter: &CatalogFilter, page: &Page) -> Answer<Found> {
        let begin = match page.cursor.as_deref().map(place) {
            None => 0,
            Some(Some(begin)) => begin,
            Some(None) => return Err(store_fault(StoreError::BadCursor)),
        };
        let catalog = &self.world.catalog;
        let (text, meant) = tokio::join!(catalog.by_text(filter, BY_QUESTION), self.by_meaning(q, filter));
        let (near, meaning) = meant?;
        let ranked = search::order(text.map_err(store_fault)?, near);
        let end = ranked.len().min(begin.saturating_add(page.limit as usize));
        let shown = ranked.get(begin..end).unwrap_or_default();
        let keys: Vec<VersionKey> = shown.iter().map(|ranked| key(&ranked.hit)).collect();
        let records = catalog.records(&keys).await.map_err(store_fault)?;
        let mut places: HashMap<VersionKey, &Ranked> = shown.iter().map(|ranked| (key(&ranked.hit), ranked)).collect();
        let with_place = |record: PlaybookRecord| {
            let registration = &record.registration;
            let ranked = places.remove(&(registration.id.clone(), registration.version.clone()));
            (record, ranked)
        };
        let items = records.into_iter().map(with_place).collect();
        let next_cursor = (end < ranked.len()).then(|| format!("place-{end}"));
        Ok(Found { page: self.explained(caller, filter, PageOf { items, next_cursor }).await?, meaning })
    }

    /// What is near in meaning and fits the filter, the nearest first. Without words to find it by, labels narrow it down before.
    async fn by_meaning(&self, q: &str, filter: &CatalogFilter) -> Answer<(Vec<(CatalogHit, f32)>, Meaning)> {
        let catalog = &self.world.catalog;
        let narrowed = !filter.tags.is_empty() || filter.has_labels();
        let mut fit = HashMap::new();
        let among = if narrowed && self.meanings.configured() {
            let hits = catalog.admitted(filter, None, LABELLED).await.map_err(store_fault)?;
            fit.extend(hits.into_iter().map(|hit| (key(&hit), hit)));
            Some(fit.keys().cloned().collect::<Vec<_>>())
        } else {
            None
        };
        let near = match self.meanings.nearest(q, among.as_deref(), BY_QUESTION).await {
            Ok(near) => near,
            Err(NoMeaning::NotConfigured) => return Ok((Vec::new(), Meaning::NotConfigured)),
            Err(NoMeaning::Late) => return Ok((Vec::new(), Meaning::Late)),
        };
        if among.is_none() {
            let keys: Vec<VersionKey> = near.iter().map(|(key, _)| key.clone()).collect();
            let hits = catalog.admitted(filter, Some(&keys), BY_QUESTION).await.map_err(store_fault)?;
            fit.extend(hits.into_iter().map(|hit| (key(&hit), hit)));
        }
        let near = near.into_iter().filter_map(|(key, alike)| Some((fit.remove(&key)?, alike))).collect();
        Ok((near, Meaning::Used))
    }

    /// What is told of each: why it was found, what was measured, and no more than the caller may see.
    async fn explained(
        &self,
        caller: &Caller,
        filter: &CatalogFilter,
        found: PageOf<(PlaybookRecord, Option<&Ranked>)>,
    ) -> Answer<PageOf<CatalogItem>> {
        let told = caller.may(Right::RunsRead) || self.world.settings.models_see_record;
        let tracks = if told { self.track_records().await? } else { HashMap::new() };
        Ok(found.map(|(playbook, ranked)| CatalogItem {
            track: tracks.get(playbook.registration.id.as_str()).cloned(),
            matched: search::reasons(filter, &playbook.registration, ranked),
            playbook: projected(caller, playbook),
        }))
    }
}

fn key(hit: &CatalogHit) -> VersionKey {
    (hit.id.clone(), hit.version.clone())
}

/// The place that a cursor of ours names.
fn place(cursor: &str) -> Option<usize> {
    cursor.strip_prefix("place-")?.parse().ok().filter(|place| (1..=BY_QUESTION * 2).contains(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::{people::tests::services, tests::TestCluster};
    use async_trait::async_trait;
    use domain::{
        audit::AuditEntry,
        identity::{Actor, Role, Way},
        ids::ActorId,
        ports::{CatalogStore as _, Meanings, NewPlaybook},
        services::CatalogService as _,
        signature::ImageSignature,
    };
    use serde_json::json;
    use std::sync::Arc;
    use store::{Options, Store, sqlite_url};

    /// Knows one meaning, or is late.
    struct Knows(Option<&'static str>);

    #[async_trait]
    impl Meanings for Knows {
        fn configured(&self) -> bool {
            true
        }

        async fn nearest(
            &self,
            _: &str,
            of: Option<&[VersionKey]>,
            _: usize,
        ) -> Result<Vec<(VersionKey, f32)>, NoMeaning> {
            let key: VersionKey = (self.0.ok_or(NoMeaning::Late)?.parse().unwrap(), "1.0.0".parse().unwrap());
            Ok(if of.is_none_or(|of| of.contains(&key)) { vec![(key, 0.5)] } else { Vec::new() })
        }
    }

    fn viewer() -> Caller {
        Caller {
            actor: Actor::new(ActorId::new("user:vera"), "vera"),
            roles: vec![Role::Viewer],
            request_id: "r-1".into(),
            route: "GET /api/v1/playbooks".into(),
            way: Way::default(),
            session: None,
        }
    }

    #[tokio::test]
    async fn what_is_near_in_meaning_is_found_beside_the_text_and_a_late_model_is_told() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(&sqlite_url(&data.path().join("console.sqlite")), Options::default()).await.unwrap();
        for (id, signal) in [("memory", "OOMKilled"), ("leak", "MemoryLeak"), ("disk", "*")] {
            let registration: domain::playbook::Registration = serde_json::from_value(json!({
                "workflow_id": id, "version": "1.0.0", "title": format!("Mend {id}"), "description": "Mends it.",
                "container_image": "quay.io/kubernaut/mender:v1", "labels": { "signal_type": signal },
            }))
            .unwrap();
            let image = format!("quay.io/kubernaut/mender@sha256:{}", "7".repeat(64)).parse().unwrap();
            let new = NewPlaybook {
                registration,
                image,
                signature: ImageSignature::default(),
                trust: None,
                by: Actor::system("test"),
            };
            store.register(new, AuditEntry::by(&viewer(), "playbook.register", "playbook", id)).await.unwrap();
        }
        let cluster = Arc::new(TestCluster::default());
        let find = async |knows: Option<Knows>, filter: CatalogFilter| {
            let services = services(&store, &cluster);
            let services = match knows {
                Some(knows) => services.with_meanings(Arc::new(knows)),
                None => services,
            };
            let found = services.find(&viewer(), &filter, &Page::default()).await.unwrap();
            let items = found.page.items.into_iter();
            let told = items.map(|item| format!("{}: {}", item.playbook.registration.id, item.matched.join(", ")));
            (told.collect::<Vec<_>>(), found.meaning)
        };
        let q = || CatalogFilter { q: Some("leak".into()), ..CatalogFilter::default() };
        let text = vec!["leak: text \"leak\"".to_owned()];
        assert_eq!(find(None, q()).await, (text.clone(), Meaning::NotConfigured));
        assert_eq!(find(Some(Knows(None)), q()).await, (text.clone(), Meaning::Late));
        let both = vec![text[0].clone(), "memory: meaning, 50 % alike".to_owned()];
        assert_eq!(find(Some(Knows(Some("memory"))), q()).await, (both, Meaning::Used));
        assert_eq!(
            find(Some(Knows(Some("gone"))), q()).await,
            (text, Meaning::Used),
            "what is not in the catalog is not found"
        );
        // Labels narrow down what is near, too, and an exact one stands first.
        let narrowed = CatalogFilter { signal_type: Some("OOMKilled".into()), ..q() };
        assert_eq!(find(Some(Knows(Some("leak"))), narrowed.clone()).await.0, Vec::<String>::new());
        let near = vec!["disk: any signal, meaning, 50 % alike".to_owned()];
        assert_eq!(find(Some(Knows(Some("disk"))), narrowed).await.0, near);
        assert_eq!(find(Some(Knows(None)), CatalogFilter::default()).await.1, Meaning::NotAsked);
    }

    #[test]
    fn only_our_own_cursors_name_a_place() {
        assert_eq!(place("place-50"), Some(50));
        for bad in ["place-0", "place-201", "place--1", "50", "", "place-"] {
            assert_eq!(place(bad), None, "{bad}");
        }
    }
}
