//! The list of runs: newest first, keyset pages, filters in the address.

use crate::{
    components::{
        Ago, Elapsed, Empty, Equivalent, Field, Filters, HowFar, Mark, Outcome, PageHead, Pager, Select, State,
        equivalent, target,
    },
    page::{Ask, Page},
    query::Query,
    words::{humane, telling},
};
use domain::{
    effectiveness::{EffectivenessFilter, GroupBy},
    execution::{ExecutionLine, ExecutionState},
    identity::Right,
    paging::{Page as ListPage, PageOf},
    ports::ExecutionFilter,
    services::Answer,
    time::Timestamp,
};
use leptos::prelude::*;

const PATH: &str = "/runs";

/// Spans that can be chosen: the word in the address, what it says, hours.
const SPANS: [(&str, &str, i64); 4] = [
    ("1h", "Last hour", 1),
    ("24h", "Last 24 hours", 24),
    ("7d", "Last 7 days", 7 * 24),
    ("30d", "Last 30 days", 30 * 24),
];

/// Asks for a page of runs.
pub async fn page(ask: Ask) -> Answer<Page> {
    let filter = filter(&ask.query, ask.now);
    let list = ask.console.runs.lines(&ask.caller, &filter, &ask.list_page(ListPage::DEFAULT_LIMIT)).await?;
    let counted = EffectivenessFilter::default();
    let known = ask.console.effectiveness.rows(&ask.caller, GroupBy::Playbook, &counted).await?;
    let playbooks = known.into_iter().map(|row| row.group).collect();
    let decides = ask.caller.may(Right::Decide);
    let page = runs(list, filter, ask.query, playbooks, decides, ask.now);
    Ok(Page::of_place("Runs", page).following("execution"))
}

/// The filter that the address asks for; unknown words count as not said.
fn filter(query: &Query, now: Timestamp) -> ExecutionFilter {
    let span = query.get("since").and_then(|word| SPANS.iter().find(|(name, ..)| *name == word));
    ExecutionFilter {
        state: query.get("state").and_then(ExecutionState::from_name),
        workflow_id: query.text("workflow_id"),
        recommendation_id: query.text("recommendation"),
        q: query.text("q"),
        since: span.map(|(_, _, hours)| now.plus_ms(-hours * 60 * 60 * 1000)),
        ..ExecutionFilter::default()
    }
}

/// The page. `playbooks` are those to choose from; `decides` tells whether the reader may decide, and so what the next step is
/// where nothing runs.
pub fn runs(
    list: PageOf<ExecutionLine>,
    filter: ExecutionFilter,
    query: Query,
    playbooks: Vec<String>,
    decides: bool,
    now: Timestamp,
) -> AnyView {
    let PageOf { items, next_cursor } = list;
    let filtered = filter != ExecutionFilter::default();
    let empty = items.is_empty();
    let sub = if empty { "" } else { "Newest first" };
    let since = query.text("since").unwrap_or_default();
    let commands = equivalent::of_runs(&filter);
    view! {
        <PageHead title="Runs" sub=move || sub />
        <Controls filter since playbooks filtered />
        {if empty {
            view! { <Nothing filtered decides /> }.into_any()
        } else {
            view! { <ul class="rows runs">{items.into_iter().map(|run| view! { <Line run now /> }).collect_view()}</ul> }.into_any()
        }}
        <Pager path=PATH query next=next_cursor />
        <Equivalent commands />
    }
    .into_any()
}

#[component]
fn Controls(filter: ExecutionFilter, since: String, playbooks: Vec<String>, filtered: bool) -> impl IntoView {
    let any = |word: &str| Select { value: String::new(), word: word.into() };
    let mut states = vec![any("Any state")];
    states.extend(
        ExecutionState::ALL.iter().map(|s| Select { value: s.name().into(), word: Mark::from(*s).word.into() }),
    );
    let state = filter.state.map(|s| s.name().to_owned()).unwrap_or_default();
    let mut choices = vec![any("Any playbook")];
    // One that has not run to its end yet is not among those that were counted.
    let unlisted = filter.workflow_id.clone().filter(|id| !playbooks.contains(id));
    choices.extend(Select::same(unlisted.into_iter().chain(playbooks)));
    let mut spans = vec![any("Any time")];
    spans.extend(SPANS.map(|(value, word, _)| Select { value: value.into(), word: word.into() }));
    let only = filter.recommendation_id;
    let kept = only.clone();
    view! {
        <Filters path=PATH label="Search names, incidents, resources" q=filter.q.unwrap_or_default() filtered>
            <Field name="state" label="State" value=state choices=states />
            <Field name="workflow_id" label="Playbook" value=filter.workflow_id.unwrap_or_default() choices />
            <Field name="since" label="Approved" value=since choices=spans />
            // What a link from elsewhere narrowed the list to stays while the others change; "Clear" takes it away.
            {kept.map(|value| view! { <input type="hidden" name="recommendation" value=value /> })}
        </Filters>
        {only.map(|id| {
            let href = format!("/recommendations/{id}");
            view! { <p class="sub only">"Only runs of "<a href=href>"one recommendation"</a></p> }
        })}
    }
    .into_any()
}

/// A run of the list.
#[component]
fn Line(run: ExecutionLine, now: Timestamp) -> impl IntoView {
    let ExecutionLine { execution: run, progress } = run;
    let subject = run.subject.clone();
    let playbook = subject
        .workflow_id
        .clone()
        .map(|id| [Some(id), subject.version.clone()].into_iter().flatten().collect::<Vec<_>>().join(" "));
    let by = run.approved_by.iter().map(|actor| actor.name.as_str()).collect::<Vec<_>>().join(", ");
    let reason = telling(run.reason.clone());
    let what = [
        run.subject.target().map(target),
        Some(playbook.unwrap_or_else(|| humane(&subject.action_type))),
        (!by.is_empty()).then(|| format!("approved by {by}")),
    ];
    let what = what.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let (state, assessment) = (run.state, run.assessment);
    let (from, to) = (run.started_at, run.finished_at);
    let at = to.or(from).unwrap_or(run.created_at);
    view! {
        <li class="run-line">
            <State of=state />
            <div class="what">
                <h2><a href=format!("/runs/{}", subject.id)>{subject.title}</a></h2>
                <p class="sub">{what}</p>
                {reason.map(|reason| view! { <p class="sub why">{reason}</p> })}
            </div>
            <div class="came-of">
                {if state.ended() {
                    view! { <Outcome state assessment /> }.into_any()
                } else {
                    view! { <HowFar state progress /> }.into_any()
                }}
            </div>
            <p class="took">{from.map(|from| view! { <span class="vh">"took "</span><Elapsed from to now /> })}</p>
            <p class="sub when"><Ago at now /></p>
        </li>
    }
    .into_any()
}

#[component]
fn Nothing(filtered: bool, decides: bool) -> impl IntoView {
    if filtered {
        return view! { <Empty title="No run matches"><p>"Take a filter away, or "<a href=PATH>"see all runs"</a>"."</p></Empty> }
            .into_any();
    }
    let next = if decides {
        "Approve a recommendation to start the first one: "
    } else {
        "The first one starts when a recommendation is approved: "
    };
    view! { <Empty title="Nothing has run yet"><p>{next}<a href="/approvals">"see what waits"</a>"."</p></Empty> }
        .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_402_800_000);

    #[test]
    fn unknown_words_in_the_address_filter_nothing() {
        assert_eq!(filter(&Query::parse("state=bogus&q=&since=ever"), NOW), ExecutionFilter::default());
        assert_eq!(filter(&Query::parse("state=timed_out"), NOW).state, Some(ExecutionState::TimedOut));
        assert_eq!(filter(&Query::parse("recommendation=r1"), NOW).recommendation_id.as_deref(), Some("r1"));
        assert_eq!(filter(&Query::parse("since=24h"), NOW).since, Some(NOW.plus_ms(-86_400_000)));
    }
    #[test]
    fn each_filter_of_the_form_is_in_what_the_command_asks() {
        let asked = |query: &str| equivalent::of_runs(&filter(&Query::parse(query), NOW))[0].line.clone();
        let all = "state=failed&workflow_id=restart&recommendation=r1&q=a+b&since=24h";
        let wanted = "state=failed&workflow_id=restart&recommendation=r1&q=a+b&since=2026-11-22T03%3A00%3A00.000Z";
        for (sent, wanted) in all.split('&').zip(wanted.split('&')) {
            assert!(
                asked(sent).ends_with(&format!("/api/v1/executions?{wanted}"))
                    || asked(sent).ends_with(&format!("/api/v1/executions?{wanted}'")),
                "{}",
                asked(sent)
            );
        }
        assert!(asked(all).contains(wanted), "{}", asked(all));
        assert!(!asked("").contains('?') && !asked("state=bogus").contains('?'));
    }
}
