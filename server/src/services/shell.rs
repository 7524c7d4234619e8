//! The frame around every page, and the overview.

use super::{Services, store_fault};
use async_trait::async_trait;
use domain::{
    effectiveness::{Counts, DAY_MS, EffectivenessFilter, EffectivenessRow, weeks},
    execution::{ExecutionLine, ExecutionState},
    identity::{Caller, Right},
    ids::{ExecutionId, RecommendationId},
    paging::Page,
    ports::{CatalogFilter, ClusterHealth, ExecutionFilter, IncidentFilter, PreflightCheck, RecommendationFilter},
    recommendation::RecommendationState,
    services::{
        Answer, ApprovalService, CatalogService, HealthView, OverviewView, RunService, SearchView, ServiceError,
        ShellService, ShellView,
    },
    time::Timestamp,
};

/// Days that "does it help" looks back on.
const LOOK_BACK_DAYS: u32 = 30;
/// Weeks of its trend.
const TREND_WEEKS: u32 = 12;
/// Recommendations, and runs of each kind, that the overview shows.
const SHOWN: u32 = 6;
/// The most of a kind that a search tells.
const FOUND: u32 = 6;

#[async_trait]
impl ShellService for Services {
    async fn shell(&self, caller: &Caller) -> Answer<ShellView> {
        let waiting = if caller.may(Right::RecommendationsRead) {
            self.world.recommendations.open_count().await.map_err(store_fault)?
        } else {
            0
        };
        Ok(ShellView {
            user: caller.actor.name.clone(),
            waiting,
            cluster: self.cluster_health(),
            environment: self.world.settings.environment.clone(),
            may_audit: caller.may(Right::AuditRead),
            may_register: caller.may(Right::CatalogWrite),
            may_control: caller.may(Right::RunsControl),
            now: self.now(),
        })
    }

    async fn overview(&self, caller: &Caller) -> Answer<OverviewView> {
        caller.require(Right::RunsRead)?;
        let open = RecommendationFilter { state: Some(RecommendationState::Open), ..Default::default() };
        let waiting = ApprovalService::inbox(self, caller, &open, &Page::first(SHOWN)).await?.items;
        let shown = i64::try_from(waiting.len()).unwrap_or(i64::MAX);
        // What is counted a moment later than it was listed is never less than what is seen.
        let waiting_count = self.world.recommendations.open_count().await.map_err(store_fault)?.max(shown);
        let firing = IncidentFilter { unanswered: true, ..Default::default() };
        let unanswered = self.world.signals.incidents(&firing, &Page::first(SHOWN)).await.map_err(store_fault)?.items;
        let shown = i64::try_from(unanswered.len()).unwrap_or(i64::MAX);
        let unanswered_count = self.world.signals.unanswered_count().await.map_err(store_fault)?.max(shown);
        let of = |state| ExecutionFilter { state: Some(state), ..Default::default() };
        let mut running = self.newest(of(ExecutionState::Running)).await?;
        running.extend(self.newest(of(ExecutionState::Pending)).await?);
        let standing = self.world.executions.standing().await.map_err(store_fault)?;
        let ended = self.world.executions.last_ended(SHOWN).await.map_err(store_fault)?;
        let lately = EffectivenessFilter { days: Some(TREND_WEEKS * 7), ..Default::default() };
        let days = self.world.effectiveness.by_day(&lately).await.map_err(store_fault)?;
        let now = self.now();
        let from = now.as_millis().div_euclid(DAY_MS) - i64::from(LOOK_BACK_DAYS);
        let lately = days.iter().filter(|(day, _)| *day > from);
        let all = lately.fold(Counts::default(), |sum, (_, counts)| sum.plus(counts));
        Ok(OverviewView {
            waiting,
            waiting_count,
            unanswered,
            unanswered_count,
            running,
            standing,
            ended,
            helped: (all.runs > 0).then(|| EffectivenessRow::new("all", &all)),
            weeks: weeks(&days, now, TREND_WEEKS),
            cluster: self.cluster_health(),
            now,
        })
    }

    async fn search(&self, caller: &Caller, words: Option<&str>) -> Answer<SearchView> {
        let q = words.map(str::trim).filter(|words| !words.is_empty()).map(str::to_owned);
        let page = Page::first(FOUND);
        let mut view = SearchView::default();
        if caller.may(Right::RecommendationsRead) {
            // Without words: what awaits a decision.
            let state = q.is_none().then_some(RecommendationState::Open);
            let filter = RecommendationFilter { state, q: q.clone(), ..Default::default() };
            let found = ApprovalService::list(self, caller, &filter, &page).await?;
            view.more.recommendations = found.next_cursor.is_some();
            view.recommendations = found.items;
            view.recommendations.sort_by_key(|recommendation| recommendation.state != RecommendationState::Open);
        }
        if caller.may(Right::RunsRead) {
            let state = q.is_none().then_some(ExecutionState::Running);
            let filter = ExecutionFilter { state, q: q.clone(), ..Default::default() };
            let found = RunService::lines(self, caller, &filter, &page).await?;
            view.more.runs = found.next_cursor.is_some();
            view.runs = found.items.into_iter().map(|line| line.execution).collect();
        }
        let Some(q) = q else { return Ok(view) };
        if caller.may(Right::CatalogRead) {
            let filter = CatalogFilter { q: Some(q.clone()), ..Default::default() };
            let found = CatalogService::search(self, caller, &filter, &page).await?;
            view.more.playbooks = found.next_cursor.is_some();
            view.playbooks = found.items.into_iter().map(|item| item.playbook).collect();
        }
        self.by_id(caller, &q, &mut view).await?;
        Ok(view)
    }

    async fn health(&self, caller: &Caller) -> Answer<HealthView> {
        caller.require(Right::RunsRead)?;
        let begun = self.world.clock.now();
        let answered = self.world.recommendations.open_count().await;
        let settings = &self.world.settings;
        Ok(HealthView {
            cluster: self.cluster_health(),
            database_ms: answered.is_ok().then(|| self.world.clock.now().since(begun).max(0)),
            environment: settings.environment.clone(),
            namespace: settings.namespace.clone(),
            kubeconfig_secret: settings.kubeconfig_secret.clone(),
            approval_ttl_ms: settings.approval_ttl_ms,
        })
    }

    async fn preflight(&self, caller: &Caller) -> Answer<Vec<PreflightCheck>> {
        caller.require(Right::RunsControl)?;
        match self.world.cluster.get() {
            Some(cluster) if !self.world.settings.sandbox => Ok(cluster.preflight().await),
            _ => Ok(Vec::new()),
        }
    }

    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }
}

impl Services {
    fn cluster_health(&self) -> ClusterHealth {
        self.world.cluster.get().map_or_else(
            || ClusterHealth {
                name: self.world.settings.cluster.clone(),
                sandbox: self.world.settings.sandbox,
                version: None,
                ready: false,
                problems: vec!["The cluster is still being connected.".into()],
                acting: None,
            },
            |cluster| cluster.health(),
        )
    }

    /// Ids are not among the words that lists search: whoever pastes one gets what it names.
    async fn by_id(&self, caller: &Caller, id: &str, view: &mut SearchView) -> Answer<()> {
        const LONG: usize = 36;
        if id.len() != LONG || !id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
            return Ok(());
        }
        if caller.may(Right::RunsRead) {
            view.runs.extend(there(RunService::get(self, caller, &ExecutionId::new(id)).await)?);
        }
        if caller.may(Right::RecommendationsRead) {
            let found = there(ApprovalService::get(self, caller, &RecommendationId::new(id)).await)?;
            view.recommendations.extend(found.map(|(recommendation, _)| recommendation));
        }
        Ok(())
    }

    async fn newest(&self, filter: ExecutionFilter) -> Answer<Vec<ExecutionLine>> {
        Ok(self.world.executions.lines(&filter, &Page::first(SHOWN)).await.map_err(store_fault)?.items)
    }
}

/// None where there is no such thing.
fn there<T>(found: Answer<T>) -> Answer<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(ServiceError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
