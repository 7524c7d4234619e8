//! How a version runs, and where it stands.

use super::encode;
use crate::{
    components::{Ago, Field, FormFaults, Id, Image, Mark, RiskChip, Select, Signed},
    context::FormOutcome,
};
use domain::{
    identity::Actor,
    playbook::PullPolicy,
    ports::{PlaybookRecord, PlaybookStatus},
    time::Timestamp,
};
use leptos::prelude::*;

/// Who registered a version, in words.
pub fn registrar(actor: &Actor) -> String {
    if actor.is_cluster() { "from the cluster".to_owned() } else { format!("by {}", actor.name) }
}

/// How it runs.
#[component]
pub fn Facts(record: PlaybookRecord, now: Timestamp) -> impl IntoView {
    let PlaybookRecord { registration, image, signature, registered_at, registered_by, .. } = record;
    let execution = registration.execution;
    let retries = match execution.retry_count {
        0 => "no retries".to_owned(),
        1 => "1 retry".to_owned(),
        n => format!("{n} retries"),
    };
    let checked = signature.checked_at;
    let kept: Vec<_> = execution.capture.iter().map(|one| format!("{} for {}", one.field, one.parameter)).collect();
    let outputs: Vec<_> = registration.outputs.iter().map(|o| format!("{} ({})", o.name, o.kind)).collect();
    view! {
        <header><h2>"How it runs"</h2></header>
        <dl class="kv">
            <dt>"Image"</dt><dd><Image image /></dd>
            <dt>"Named as"</dt><dd><Id of=registration.image.to_string() what="image's name" /></dd>
            <dt>"Signature"</dt>
            <dd><Signed signature />{checked.map(|at| view! { <p class="sub">"Checked "<Ago at now /></p> })}</dd>
            <dt>"Pulled"</dt><dd>{match registration.image_pull_policy {
                PullPolicy::Always => "each time",
                PullPolicy::IfNotPresent => "when the node has it not",
                PullPolicy::Never => "never",
            }}</dd>
            {registration.risk.map(|risk| view! { <dt>"Risk"</dt><dd><RiskChip of=risk /></dd> })}
            <dt>"Runs as"</dt><dd><code>{execution.service_account.to_string()}</code></dd>
            <dt>"Limits"</dt><dd>{format!("{}, {retries}", execution.timeout)}</dd>
            <dt>"Safe to repeat"</dt><dd>{if execution.idempotent { "yes" } else { "not said to be" }}</dd>
            {(!kept.is_empty()).then(|| view! { <dt>"Kept before a run"</dt><dd>{kept.join(", ")}</dd> })}
            {(!outputs.is_empty()).then(|| view! { <dt>"Reports"</dt><dd>{outputs.join(", ")}</dd> })}
            <dt>"Registered"</dt><dd><Ago at=registered_at now />" "{registrar(&registered_by)}</dd>
        </dl>
    }
    .into_any()
}

/// Changing the status of the version that is shown.
#[component]
pub fn StatusForm(record: PlaybookRecord, form: FormOutcome) -> impl IntoView {
    let registration = record.registration;
    let action = format!("/catalog/{}/versions/{}/status", registration.id, encode(&registration.version.to_string()));
    let now =
        form.value("status").map_or(record.status, |word| PlaybookStatus::from_name(word).unwrap_or(record.status));
    let choices = PlaybookStatus::ALL
        .into_iter()
        .map(|s| Select { value: s.name().into(), word: Mark::from(s).word.into() })
        .collect::<Vec<_>>();
    let came_back = form.message.is_some() || !form.faults.is_empty();
    let reason = form.value("reason").unwrap_or_default().to_owned();
    view! {
        <div class="folds">
            <details open=came_back>
                <summary>"Change the status"</summary>
                <form method="post" action=action>
                    <input type="hidden" name="version" value=registration.version.to_string() />
                    <FormFaults form=form.clone() fields=vec!["status".into(), "reason".into()] />
                    <Field name="status" label=format!("Status of {}", registration.version) value=now.name() choices
                        error=form.error("status")
                        hint="Active can be recommended and run. Deprecated runs only where it is asked for by version. Disabled can't run." />
                    <Field name="reason" label="Reason" small="goes into the audit trail" value=reason rows=2 error=form.error("reason") />
                    <p class="actions"><button class="btn" type="submit">"Set the status"</button></p>
                </form>
            </details>
        </div>
    }
    .into_any()
}
