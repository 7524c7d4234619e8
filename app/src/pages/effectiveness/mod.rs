//! What works: how often it helped and how often it went through, each with its interval, beside what the models said; the trend,
//! recurrence and the time to recovery; by playbook, version, signal, action or model. No data is a dash with a word, never zero.

mod calibration;
mod chart;
pub mod patterns;
mod phases;
mod table;
mod trend;
mod versions;

pub use crate::components::chart::Measure;
pub use versions::word as verdict_word;

use crate::{
    components::{Empty, Field, PageHead, Select},
    page::{Ask, Page},
    query::Query,
    words::{humane, percent},
};
use domain::{
    effectiveness::{EffectivenessFilter, EffectivenessRow, GroupBy},
    services::{Answer, EffectivenessReport},
    time::human,
};
use leptos::prelude::*;

const PATH: &str = "/effectiveness";
/// Days that can be chosen; the first is what is shown unless the address says otherwise.
const DAYS: [u32; 4] = [90, 7, 30, 365];

/// What the address asks for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// By what the rows are grouped.
    pub by: GroupBy,
    /// Which executions count.
    pub filter: EffectivenessFilter,
    /// What the charts show; none leaves it to what there are numbers for.
    pub measure: Option<Measure>,
}

impl Asked {
    /// As the address says it.
    pub fn of(query: &Query) -> Self {
        let days = match query.get("days") {
            Some("all") => None,
            Some(days) => days.parse().ok().filter(|n| *n > 0).or(Some(DAYS[0])),
            None => Some(DAYS[0]),
        };
        Self {
            by: query.get("by").and_then(GroupBy::from_name).unwrap_or(GroupBy::Playbook),
            filter: EffectivenessFilter {
                workflow_id: query.text("workflow_id"),
                signal_type: query.text("signal_type"),
                action_type: query.text("action_type"),
                model: query.text("model"),
                days,
            },
            measure: query.get("measure").and_then(Measure::from_name),
        }
    }

    /// Where one of the page's tables is as CSV, for what the address asks for.
    fn csv(&self, table: &str) -> String {
        let EffectivenessFilter { workflow_id, signal_type, action_type, model, days } = &self.filter;
        let days = days.map_or_else(|| "all".to_owned(), |days| days.to_string());
        let query = Query::of(&[("table", table), ("by", self.by.name()), ("days", days.as_str())])
            .with("workflow_id", workflow_id.as_deref())
            .with("signal_type", signal_type.as_deref())
            .with("action_type", action_type.as_deref())
            .with("model", model.as_deref());
        format!("{PATH}/csv{query}")
    }

    /// What was chosen of time and charts, for the addresses of other groups.
    fn kept(&self) -> Query {
        let days = self.filter.days.map_or_else(|| "all".to_owned(), |days| days.to_string());
        Query::default()
            .with("days", Some(&days).filter(|_| self.filter.days != Some(DAYS[0])).map(String::as_str))
            .with("measure", self.measure.map(Measure::name))
    }
}

/// Asks for what the address groups and bounds.
pub async fn page(ask: Ask) -> Answer<Page> {
    let asked = Asked::of(&ask.query);
    let report = ask.console.effectiveness.report(&ask.caller, asked.by, &asked.filter).await?;
    Ok(Page::of_place("Effectiveness", effectiveness(report, &asked)).following("execution"))
}

const fn group_word(by: GroupBy) -> &'static str {
    match by {
        GroupBy::Playbook => "Playbook",
        GroupBy::Version => "Version",
        GroupBy::SignalType => "Signal",
        GroupBy::ActionType => "Action",
        GroupBy::Model => "Model",
        GroupBy::PromptVersion => "Prompt version",
    }
}

/// The page: the most-run groups first.
pub fn effectiveness(report: EffectivenessReport, asked: &Asked) -> AnyView {
    let EffectivenessReport { mut rows, total, weeks, calibration, versions } = report;
    rows.sort_by(|a, b| b.runs.cmp(&a.runs).then_with(|| a.group.cmp(&b.group)));
    let measure = asked.measure.unwrap_or_else(|| Measure::of_choice(total.as_ref()));
    let since = asked.filter.days.map_or_else(|| "All time".to_owned(), |days| format!("Last {days} days"));
    let sub = match &total {
        Some(row) => format!("{since} · {} runs, {} assessed", row.runs, row.assessed()),
        None => since,
    };
    view! {
        <PageHead title="Does it help?" sub=move || sub.clone()>
            <a class="btn" href="/effectiveness/patterns">"Patterns"</a>
        </PageHead>
        <Controls asked=asked.clone() measure />
        {match total {
            None => view! {
                <Empty title="No run has ended in this time">
                    <p>"Nothing is measured before something has run. "<a href="/effectiveness?days=all">"Look at all time"</a></p>
                </Empty>
            }
            .into_any(),
            Some(total) => view! {
                <Figures total=total.clone() />
                <p class="sub">
                    "Went through: the run ended well. Helped: afterwards the signal had cleared, of those runs whose effect could be told. "
                    "The numbers in brackets hold the true share with 95 % confidence: few runs, wide brackets."
                </p>
                <div class="halves charts">
                    <chart::Chart rows=rows.clone() measure title=group_word(asked.by) />
                    <trend::Trend weeks measure />
                </div>
                <phases::Phases total=total.clone() />
                <calibration::Calibrated models=calibration asked=asked.clone() />
                <versions::Versions pairs=versions asked=asked.clone() />
                <table::Table rows all=total.runs asked=asked.clone() />
            }
            .into_any(),
        }}
    }
    .into_any()
}

#[component]
fn Controls(asked: Asked, measure: Measure) -> impl IntoView {
    let cleared = format!("{PATH}{}", asked.kept());
    let Asked { by, filter, .. } = asked;
    let groups =
        GroupBy::ALL.map(|g| Select { value: g.name().into(), word: format!("By {}", group_word(g).to_lowercase()) });
    let measures = Measure::ALL.map(|m| Select { value: m.name().into(), word: humane(m.word()) });
    let days = filter.days.map_or_else(|| "all".to_owned(), |n| n.to_string());
    let mut choices: Vec<u32> = DAYS.to_vec();
    choices.extend(filter.days.filter(|n| !DAYS.contains(n)));
    choices.sort_unstable();
    let mut spans: Vec<Select> =
        choices.into_iter().map(|n| Select { value: n.to_string(), word: format!("Last {n} days") }).collect();
    spans.push(Select { value: "all".into(), word: "All time".into() });
    let filtered = [&filter.workflow_id, &filter.signal_type, &filter.action_type, &filter.model]
        .iter()
        .any(|wanted| wanted.is_some());
    view! {
        <form class="filters" method="get" action=PATH autocomplete="off">
            <Field name="measure" label="Charts show" value=measure.name() choices=measures.to_vec() />
            <Field name="by" label="Group by" value=by.name() choices=groups.to_vec() />
            <Field name="days" label="Time" value=days choices=spans />
            <Field name="workflow_id" label="Playbook" placeholder="Any playbook" value=filter.workflow_id.unwrap_or_default() />
            <Field name="signal_type" label="Signal" placeholder="Any signal" value=filter.signal_type.unwrap_or_default() />
            <Field name="action_type" label="Action" placeholder="Any action" value=filter.action_type.unwrap_or_default() />
            <Field name="model" label="Model" placeholder="Any model" value=filter.model.unwrap_or_default() />
            <button class="btn" type="submit">"Show"</button>
            {filtered.then(|| view! { <a class="btn ghost" href=cleared>"Clear"</a> })}
        </form>
    }
    .into_any()
}

/// The four numbers that answer the heading.
#[component]
fn Figures(total: EffectivenessRow) -> impl IntoView {
    let interval = |measure: Measure| {
        measure.share(&total).map(|share| {
            let beside = format!("({:.0}–{})", share.low * 100.0, percent(share.high));
            (percent(share.rate), beside)
        })
    };
    let median = |phase: &str| {
        total.recovery_ms.get(phase).map(|took| (human(took.p50), format!("(90 %: {})", human(took.p90))))
    };
    let back = total.recurrence_rate.map(|share| {
        let part = |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), percent);
        let beside = format!(
            "of {} (hour: {}, week: {})",
            total.recurrence.day.watched,
            part(total.recurrence.hour.rate),
            part(total.recurrence.week.rate)
        );
        (percent(share), beside)
    });
    let figures = [
        ("helped", interval(Measure::Helped), "nobody has looked yet whether it helped"),
        ("went through", interval(Measure::WentThrough), "nothing ended"),
        ("median from recommendation to decision", median("decide"), "time to decide is not known"),
        ("came back within a day", back, "not measured yet: whether it came back"),
    ];
    view! {
        <ul class="figures">
            {figures.into_iter().map(|(what, figure, without)| match figure {
                Some((number, beside)) => view! { <li><b>{number}</b><span class="sub">{format!("{what} {beside}")}</span></li> }.into_any(),
                None => view! { <li class="none"><b aria-hidden="true">"–"</b><span class="sub">{without}</span></li> }.into_any(),
            }).collect_view()}
        </ul>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_bounds_the_time_and_nonsense_does_not_unbound_it() {
        let days = |query| Asked::of(&Query::parse(query)).filter.days;
        assert_eq!(days(""), Some(90));
        assert_eq!(days("days=all"), None);
        assert_eq!(days("days=7"), Some(7));
        assert_eq!(days("days=0"), Some(90));
        assert_eq!(days("days=x"), Some(90));
    }
}
