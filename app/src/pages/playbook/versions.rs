//! Every version, newest first: where it stands and why, how it has done, who registered it, and what it changed.

use super::{encode, facts::registrar};
use crate::components::{Ago, Measured, Section, State, TableBox};
use domain::{effectiveness::EffectivenessRow, ports::PlaybookRecord, time::Timestamp};
use leptos::prelude::*;

/// So many are seen at once; the others are folded.
const SEEN: usize = 10;

/// A version as a row.
#[derive(Clone)]
struct Row {
    record: PlaybookRecord,
    track: Option<EffectivenessRow>,
    selected: bool,
    /// The version before it.
    before: Option<String>,
}

/// The table of versions.
#[component]
pub fn Versions(
    versions: Vec<PlaybookRecord>,
    selected: usize,
    by_version: Vec<EffectivenessRow>,
    now: Timestamp,
) -> impl IntoView {
    let texts: Vec<String> = versions.iter().map(|record| record.registration.version.to_string()).collect();
    let mut rows: Vec<Row> = versions
        .into_iter()
        .enumerate()
        .map(|(index, record)| {
            let (id, version) = (record.registration.id.to_string(), texts[index].clone());
            let track = by_version.iter().find(|row| group_is(&row.group, &id, &version)).cloned();
            Row { record, track, selected: index == selected, before: texts.get(index + 1).cloned() }
        })
        .collect();
    let count = rows.len();
    let older = rows.split_off(count.min(SEEN));
    let open = older.iter().any(|row| row.selected);
    let aside = if count == 1 { "one".to_owned() } else { format!("{count}, newest first") };
    view! {
        <Section title="Versions" aside=move || aside.clone()>
            <Table label="Versions" rows now />
            {(!older.is_empty()).then(|| view! {
                <details class="older" open=open>
                    <summary>{format!("{} older versions", older.len())}</summary>
                    <Table label="Older versions" rows=older now />
                </details>
            })}
        </Section>
    }
    .into_any()
}

#[component]
fn Table(label: &'static str, rows: Vec<Row>, now: Timestamp) -> impl IntoView {
    view! {
        <TableBox label=label>
            <table class="grid versions">
                <caption class="vh">{label}", newest first"</caption>
                <thead><tr>
                    <th scope="col">"Version"</th><th scope="col">"Status"</th><th scope="col">"Measured"</th>
                    <th scope="col">"Registered"</th><th scope="col">"Changes"</th>
                </tr></thead>
                <tbody>{rows.into_iter().map(|row| view! { <Line row now /> }).collect_view()}</tbody>
            </table>
        </TableBox>
    }
    .into_any()
}

#[component]
fn Line(row: Row, now: Timestamp) -> impl IntoView {
    let Row { record, track, selected, before } = row;
    let (id, version) = (record.registration.id.to_string(), record.registration.version.to_string());
    let href = format!("/catalog/{id}?version={}", encode(&version));
    let changes = before.map(|before| {
        let pair = format!("{}..{}", encode(&before), encode(&version));
        let href = format!("/catalog/{id}?version={}&compare={pair}#compare", encode(&version));
        view! { <a href=href aria-label=format!("What {version} changed since {before}")>"since "{before.clone()}</a> }
    });
    view! {
        <tr>
            <th scope="row"><a href=href aria-current=selected.then_some("true")>{version}</a></th>
            <td><State of=record.status />
                {record.status_reason.map(|reason| view! { <p class="sub why-status">{reason}</p> })}</td>
            <td class="track"><Measured track /></td>
            <td class="sub"><Ago at=record.registered_at now />" "{registrar(&record.registered_by)}</td>
            <td class="sub">{match changes {
                Some(link) => link.into_any(),
                None => view! { "the first" }.into_any(),
            }}</td>
        </tr>
    }
    .into_any()
}

/// Whether a row of the rollup is about this version: it is named `id@version`.
fn group_is(group: &str, id: &str, version: &str) -> bool {
    group.split_once('@') == Some((id, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_versions_row_is_found_and_no_other() {
        assert!(group_is("oomkill@1.0.0", "oomkill", "1.0.0"));
        assert!(!group_is("oomkill-2@1.0.0", "oomkill", "1.0.0") && !group_is("oomkill@1.0.0-rc", "oomkill", "1.0.0"));
    }
}
