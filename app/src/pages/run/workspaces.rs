//! What a run left in the volume that its steps shared: asking for a listing, and the listing. It is shown in the answer to the one
//! who asked and kept nowhere.

use crate::{
    components::{Ago, Empty, FormFaults, Notice, Section, TableBox},
    context::FormOutcome,
    query::Query,
};
use domain::{
    execution::Execution,
    services::Listings,
    time::Timestamp,
    workspace::{Cut, WorkspaceEntry, WorkspaceListing},
};
use leptos::prelude::*;

/// Where the answer is, and so where the browser leads whoever asked.
const HERE: &str = "workspace";

/// The section.
#[component]
pub fn Contents(
    run: Execution,
    /// The query of the page, for whoever asks to come back to what they looked at.
    query: Query,
    workspace: &'static str,
    may_control: bool,
    listings: Listings,
    form: FormOutcome,
    now: Timestamp,
) -> impl IntoView {
    let asked = form.listing.as_ref().is_some_and(|(of, _)| of == workspace);
    let listing = form.listing.clone().filter(|_| asked).and_then(|(_, listing)| listing);
    let refusal = match listings {
        Listings::Sandbox => Some(
            "The sandbox keeps no files. On a cluster, what a run leaves in the volume of its steps can be listed here.",
        ),
        Listings::Off => {
            Some("Listings are off. Whoever administers the console turns them on with deploy/components/listing.")
        }
        Listings::On if run.state.ended() && run.run_uid.is_none() => {
            Some("The run never started, so it left nothing.")
        }
        Listings::On if !run.state.ended() => {
            Some("What the run leaves in the volume of its steps can be listed when it has ended.")
        }
        Listings::On if !may_control => {
            Some("Operators and admins can list what the run left in the volume of its steps.")
        }
        Listings::On => None,
    };
    let action = format!("/runs/{}/workspaces/{workspace}/listing{query}#{HERE}", run.subject.id);
    let again = listing.is_some();
    view! {
        <Section title="Workspace contents" id=HERE>
            {asked.then(|| view! { <FormFaults form fields=Vec::new() /> })}
            {listing.map(|listing| view! { <Listing workspace listing now /> })}
            {match refusal {
                Some(words) => view! { <p class="sub">{words}</p> }.into_any(),
                None => view! {
                    <form class="list-volume" method="post" action=action>
                        <button class="btn small" type="submit">{if again { "List again" } else { "List contents" }}</button>
                        <span class="sub">"Names, sizes and times, never contents. A pod is started to look, which takes up to a minute; the audit trail says who asked."</span>
                    </form>
                }
                .into_any(),
            }}
        </Section>
    }
    .into_any()
}

#[component]
fn Listing(workspace: &'static str, listing: WorkspaceListing, now: Timestamp) -> impl IntoView {
    let WorkspaceListing { entries, cut, unread } = listing;
    if entries.is_empty() && cut.is_empty() && unread == 0 {
        return view! { <Empty title="It is empty">"The run left nothing in "<code>{workspace}</code>"."</Empty> }
            .into_any();
    }
    let why: Vec<String> = cut.iter().copied().map(Cut::words).collect();
    let unread = match unread {
        0 => None,
        1 => Some("One entry could not be read.".to_owned()),
        n => Some(format!("{n} entries could not be read.")),
    };
    view! {
        {(!why.is_empty()).then(|| view! { <Notice><p>{format!("This is not all: {}.", why.join(", "))}</p></Notice> })}
        {unread.map(|words| view! { <Notice><p>{words}</p></Notice> })}
        <TableBox label="Workspace contents">
            <table class="grid volume">
                <caption class="vh">{format!("What is in {workspace}")}</caption>
                <thead><tr>
                    <th scope="col">"Path"</th><th scope="col">"Kind"</th><th scope="col" class="num">"Size"</th><th scope="col">"Changed"</th>
                </tr></thead>
                <tbody>{entries.into_iter().map(|entry| view! { <Row entry now /> }).collect_view()}</tbody>
            </table>
        </TableBox>
    }
    .into_any()
}

#[component]
fn Row(entry: WorkspaceEntry, now: Timestamp) -> impl IntoView {
    let WorkspaceEntry { path, kind, size, modified_at } = entry;
    view! {
        <tr>
            <th scope="row"><code>{path}</code></th>
            <td>{kind.name()}</td>
            <td class="num" title=size.map(|bytes| format!("{bytes} bytes"))>{size.map_or_else(|| "–".to_owned(), in_units)}</td>
            <td class="sub">{match modified_at {
                Some(at) => view! { <Ago at now /> }.into_any(),
                None => view! { "–" }.into_any(),
            }}</td>
        </tr>
    }
    .into_any()
}

/// Bytes as people read them: `17 B`, `1.2 KiB`, never rounded up to a unit that it does not reach.
fn in_units(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut power = 1;
    while power < UNITS.len() && bytes >> (10 * (power + 1)) > 0 {
        power += 1;
    }
    let tenths = (u128::from(bytes) * 10) >> (10 * power);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[power - 1])
}

#[cfg(test)]
mod tests {
    use super::in_units;

    #[test]
    fn sizes_are_told_in_the_largest_unit_that_they_reach() {
        for (bytes, words) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1024 * 1024 - 1, "1023.9 KiB"),
            (1024 * 1024, "1.0 MiB"),
            (5 * 1024 * 1024 * 1024, "5.0 GiB"),
            (u64::MAX, "16383.9 PiB"),
        ] {
            assert_eq!(in_units(bytes), words);
        }
    }
}
