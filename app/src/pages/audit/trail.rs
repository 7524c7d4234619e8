//! How the trail stands: whether its chain is unbroken, the legal hold, and the forms that export it.

use crate::{
    components::{Ago, Field, Mark, Notice, State, Tone},
    context::FormOutcome,
    error::sentence,
    icon::Icon,
};
use domain::{
    audit::{AuditFilter, Hold},
    identity::Door,
    services::{TrailCheck, TrailView},
    time::Timestamp,
};
use leptos::prelude::*;

/// The forms that export what the filter lets through: each leaves a row that says so.
#[component]
pub fn Exports(filter: AuditFilter, filtered: bool) -> impl IntoView {
    let word = if filtered { "Export what matches" } else { "Export all" };
    view! {
        <form method="post" action="/audit/exports" id="export">
            {fields(filter).into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view()}
            <button class="btn" type="submit" name="format" value="jsonl" title="JSON lines, which can be checked">{word}</button>
            " "
            <button class="btn" type="submit" name="format" value="csv" aria-label=format!("{word} as CSV")>"CSV"</button>
        </form>
    }
    .into_any()
}

/// The filter as the fields of a form.
fn fields(filter: AuditFilter) -> Vec<(&'static str, String)> {
    let all = [
        ("actor", filter.actor),
        ("action", filter.action),
        ("object", filter.object),
        ("door", filter.door.map(Door::name).map(str::to_owned)),
        ("q", filter.q),
        ("from", filter.from.map(|at| at.to_string())),
        ("to", filter.to.map(|at| at.to_string())),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Whether the chain is unbroken, as far as is known, and the hold.
#[component]
pub fn Trail(trail: TrailView, may_hold: bool, form: FormOutcome, now: Timestamp) -> impl IntoView {
    let TrailView { rows, checked, checking, hold, .. } = trail;
    let broken = checked.as_ref().and_then(|check| check.broken.clone());
    let mark = match &checked {
        None => Mark { word: "Not looked at yet", icon: Icon::Clock, tone: Tone::Idle },
        Some(TrailCheck { broken: Some(_), .. }) => Mark { word: "Broken", icon: Icon::Cross, tone: Tone::Bad },
        Some(_) => Mark { word: "Unbroken", icon: Icon::Check, tone: Tone::Ok },
    };
    let rows = match checked.as_ref().map_or(rows.unsigned_abs(), |check| check.rows) {
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    };
    view! {
        <div class="chain" id="chain">
            <State of=mark />
            <span class="sub">
                {rows}{checked.map(|check| view! { ", looked at "<Ago at=check.at now /> })}
            </span>
            {if checking {
                view! { <span class="sub">"Every row is being looked at."</span> }.into_any()
            } else {
                view! {
                    <form method="post" action="/audit/check"><button class="btn small" type="submit">"Look now"</button></form>
                }
                .into_any()
            }}
            {may_hold.then(|| view! { <ChangeHold stands=hold.is_some() form /> })}
        </div>
        {broken.map(|link| view! {
            <div role="alert"><Notice tone=Tone::Bad>
                <p>{sentence(&link.detail)}" Keep the database as it is, and compare it with an export from before."</p>
            </Notice></div>
        })}
        {hold.map(|hold| view! { <Stands hold now /> })}
    }
    .into_any()
}

#[component]
fn Stands(hold: Hold, now: Timestamp) -> impl IntoView {
    view! {
        <Notice tone=Tone::Wait>
            <p>"Legal hold since "<Ago at=hold.since now />", set by "{hold.by.name}": "{sentence(&hold.reason)}" Nothing is removed while it stands."</p>
        </Notice>
    }
    .into_any()
}

/// Setting the hold, or releasing the one that stands.
#[component]
fn ChangeHold(stands: bool, form: FormOutcome) -> impl IntoView {
    let (word, act, action, told) = if stands {
        ("Release the hold", "Release", "/audit/release", "Old rows are then removed again, if a retention is set.")
    } else {
        (
            "Legal hold",
            "Set the hold",
            "/audit/hold",
            "Nothing of the trail is removed while it stands, whatever the retention.",
        )
    };
    let error = form.error("reason");
    let came_back = error.is_some() || form.message.is_some();
    view! {
        <details class="hold" open=came_back>
            <summary class="btn small">{word}</summary>
            <form method="post" action=action>
                <p class="sub">{told}</p>
                <Field name="reason" label="Reason" small="goes into the trail" rows=2 value=form.value("reason").unwrap_or_default()
                    error=error max_length=Some(4096) />
                <p class="actions"><button class="btn" type="submit">{act}</button></p>
            </form>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_of_what_is_shown() {
        let filter = AuditFilter {
            action: Some("decision.".into()),
            door: Some(Door::Api),
            from: Timestamp::parse("2026-11-23T00:00:00Z").ok(),
            ..AuditFilter::default()
        };
        let told = [("action", "decision."), ("door", "api"), ("from", "2026-11-23T00:00:00.000Z")];
        assert_eq!(fields(filter), told.map(|(name, value)| (name, value.to_owned())));
        assert!(fields(AuditFilter::default()).is_empty());
    }
}
