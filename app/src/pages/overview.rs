//! The overview: what needs me now, what is running, is it helping, is the engine healthy.

use crate::{
    components::{Chip, Empty, InboxRow, Notice, PageHead, Rates, RunRow, Section, Tone, Until},
    error::sentence,
    icon::{Glyph, Icon},
    page::{Ask, Page},
    pages::incidents::IncidentRows,
    words::{acts_elsewhere, humane, number, percent},
};
use domain::{
    execution::{ExecutionLine, Standing},
    ports::ClusterHealth,
    services::{Answer, OverviewView},
    time::{Timestamp, human},
};
use leptos::prelude::*;

/// From when on a run that has not started is worth a word, milliseconds.
const SLOW_START_MS: i64 = 60_000;

/// Asks for the overview.
pub async fn page(ask: Ask) -> Answer<Page> {
    let view = ask.console.shell.overview(&ask.caller).await?;
    Ok(Page::of_place("Overview", overview(view)).following("recommendation execution incident"))
}

/// What waits, as a sentence. It is not said for whom: among it may be what the reader has proposed or approved already.
fn heading(waiting: i64) -> String {
    match waiting {
        0 => "Nothing is waiting for a decision".to_owned(),
        1 => "One is waiting for a decision".to_owned(),
        n => format!("{} are waiting for a decision", humane(&number(n))),
    }
}

/// The page.
pub fn overview(view: OverviewView) -> AnyView {
    let OverviewView {
        waiting,
        waiting_count,
        unanswered,
        unanswered_count,
        running,
        standing,
        ended,
        helped,
        weeks,
        cluster,
        now,
    } = view;
    let first = waiting.first().map(|item| item.recommendation.expires_at);
    let shown = i64::try_from(waiting.len()).unwrap_or(i64::MAX);
    let title = heading(waiting_count);
    let all = match standing.running {
        0 => "All running".to_owned(),
        n => format!("All {n} running"),
    };
    let late = slow_start(standing, now);
    let back = helped.as_ref().and_then(|row| row.recurrence_rate);
    view! {
        <PageHead title sub=move || first.map(|at| view! { "The one to begin with "<Until at now before="expires in " over="has expired" /> }) />
        {if waiting.is_empty() {
            view! {
                <Empty title="No recommendation is open">
                    <p>"New ones arrive here by themselves as incidents are investigated. "<a href="/approvals?state=any">"See earlier ones"</a></p>
                </Empty>
            }
            .into_any()
        } else {
            view! {
                <ul class="rows inbox">{waiting.into_iter().map(|item| view! { <InboxRow item now /> }).collect_view()}</ul>
                {(waiting_count > shown).then(|| view! {
                    <p class="sub more-line"><a href="/approvals">{format!("All {waiting_count} that wait")}</a>{format!(", of which these {shown} are the most urgent")}</p>
                })}
            }
            .into_any()
        }}
        {(!unanswered.is_empty()).then(|| view! {
            <Section title="Firing, and nothing recommended yet" aside=move || view! { <a href="/incidents?state=unanswered">{format!("All {unanswered_count}")}</a> }>
                <IncidentRows items=unanswered now />
            </Section>
        })}
        <div class="halves">
            <Runs title="Running now" runs=running now none="Nothing is running." href="/runs?state=running" all />
            <Runs title="Last ended" runs=ended now none="Nothing has run yet." href="/runs" all="All runs".to_owned() />
            <Section title="Is it helping?" aside=|| view! { <a href="/effectiveness?days=30">"Last 30 days"</a> }>
                {match helped {
                    None if weeks.iter().all(|week| week.row.runs == 0) => view! {
                        <Empty title="No runs yet"><p>"What was run and whether it helped is counted from the first run on."</p></Empty>
                    }
                    .into_any(),
                    row => view! {
                        <div class="measure">
                            <Rates row weeks />
                            {back.map(|share| view! { <p class="sub">{format!("The signal came back within a day after {} of them.", percent(share))}</p> })}
                        </div>
                    }
                    .into_any(),
                }}
            </Section>
            <Engine cluster late />
        </div>
    }
    .into_any()
}

#[component]
fn Runs(
    title: &'static str,
    runs: Vec<ExecutionLine>,
    now: Timestamp,
    none: &'static str,
    href: &'static str,
    all: String,
) -> impl IntoView {
    view! {
        <Section title aside=move || view! { <a href=href>{all.clone()}</a> }>
            {if runs.is_empty() {
                view! { <p class="none sub">{none}</p> }.into_any()
            } else {
                view! { <ul class="rows">{runs.into_iter().map(|run| view! { <RunRow run now /> }).collect_view()}</ul> }.into_any()
            }}
        </Section>
    }
    .into_any()
}

/// What there is to say about runs that were approved and have not started for a while.
fn slow_start(standing: Standing, now: Timestamp) -> Option<String> {
    let longest = now.since(standing.pending_since?);
    if longest < SLOW_START_MS {
        return None;
    }
    let longest = human(longest / 1000 * 1000);
    Some(match standing.pending {
        1 => format!("One approved run has not started for {longest}; its page says what it waits for."),
        n => {
            let n = humane(&number(i64::from(n)));
            format!(
                "{n} approved runs have not started, one of them for {longest}; their pages say what they wait for."
            )
        }
    })
}

#[component]
fn Engine(
    cluster: ClusterHealth,
    /// What there is to say about runs that have not started.
    late: Option<String>,
) -> impl IntoView {
    let ClusterHealth { name, sandbox, version, ready, problems, acting } = cluster;
    let several = problems.len() > 1;
    view! {
        <Section title="The engine">
            <dl class="kv ruled">
                <dt>"New runs"</dt>
                <dd>
                    {if ready {
                        view! { <span class="state ok"><Glyph of=Icon::Check />"Can start"</span>" "<span class="sub">"as soon as they are approved"</span> }.into_any()
                    } else {
                        view! { <span class="state bad"><Glyph of=Icon::Cross />"Can't start"</span>" "
                            <span class="sub">{if several { "until all of this is mended:" } else { "until this is mended:" }}</span> }.into_any()
                    }}
                    {acting.map(|other| view! { <p class="sub">{acts_elsewhere(&other)}</p> })}
                    {problems.into_iter().map(|problem| view! { <Notice tone=Tone::Wait><p>{sentence(&problem)}</p></Notice> }).collect_view()}
                    {late.map(|words| view! { <Notice tone=Tone::Wait><p>{words}</p></Notice> })}
                </dd>
                <dt>"Cluster"</dt>
                <dd>
                    {if sandbox {
                        view! { <Chip word="Sandbox" tone=Tone::Wait />" "<span class="sub">"a stand-in: nothing here touches a real cluster"</span> }.into_any()
                    } else {
                        view! { {name} }.into_any()
                    }}
                </dd>
                <dt>"Kubernetes"</dt><dd>{version.unwrap_or_else(|| "not known yet".into())}</dd>
            </dl>
        </Section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heading_counts_in_words() {
        assert_eq!(heading(3), "Three are waiting for a decision");
        assert_eq!(heading(1), "One is waiting for a decision");
        assert_eq!(heading(0), "Nothing is waiting for a decision");
        assert_eq!(heading(214), "214 are waiting for a decision");
    }
}
