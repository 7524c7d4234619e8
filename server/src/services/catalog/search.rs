//! Searching the catalog: labels and tags narrow it down and the more exact come first; what is asked in words is looked for in
//! texts and, where a model of embeddings is configured, by meaning, both in one order (`domain::search`, docs/search.md).

use super::{Services, projected, store_fault};
use domain::{
    identity::Caller,
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
        let narrowed = !filter.tags.is_empty() || filter.labels().iter().any(|(_, wanted)| wanted.is_some());
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
        let tracks = self.track_records().await?;
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

    #[test]
    fn only_our_own_cursors_name_a_place() {
        assert_eq!(place("place-50"), Some(50));
        for bad in ["place-0", "place-401", "place--1", "50", "", "place-"] {
            assert_eq!(place(bad), None, "{bad}");
        }
    }
}
