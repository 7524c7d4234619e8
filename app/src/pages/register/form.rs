//! The form's fields, but for its parameters.

use super::{
    fields::{FOCUS, KEPT},
    parameters::{Exposed, Hidden},
    places::Places,
    write,
};
use crate::{
    components::{Field, Section, Select, plain},
    context::FormOutcome,
};
use domain::{playbook::PullPolicy, recommendation::Risk};
use leptos::prelude::*;

/// What the fields are shown with: what was typed, what is wrong.
#[derive(Clone)]
pub struct Typed {
    pub form: FormOutcome,
    pub places: Places,
}

impl Typed {
    /// What stands in a field.
    pub fn value(&self, name: &str) -> String {
        self.form.value(name).unwrap_or_default().to_owned()
    }

    /// What is wrong with it.
    pub fn error(&self, name: &str) -> Option<String> {
        self.places.error(name)
    }

    /// What is typed, or this where nothing came back yet.
    pub fn value_or(&self, name: &str, first: &str) -> String {
        self.form.value(name).unwrap_or(first).to_owned()
    }

    /// Whether the focus goes to this field.
    pub fn focused(&self, name: &str) -> bool {
        self.form.value(FOCUS) == Some(name)
    }

    /// A field of one line.
    fn text(&self, name: &'static str, label: &'static str) -> impl IntoView + use<> {
        let (value, error) = (self.value(name), self.error(name));
        view! { <Field name label value error autocomplete="off" /> }
    }
}

/// The whole form, without its buttons.
#[component]
pub fn ByForm(form: FormOutcome, places: Places) -> impl IntoView {
    let kept = write::kept(&form.fields);
    let raw = form.value(KEPT).unwrap_or_default().to_owned();
    let typed = Typed { form, places };
    view! {
        <Identity typed=typed.clone() />
        <Exposed typed=typed.clone() />
        <Hidden typed=typed.clone() />
        <Purpose typed=typed.clone() />
        <Running typed />
        {(!raw.is_empty()).then(|| view! { <input type="hidden" name=KEPT value=raw /> })}
        <Kept kept />
    }
    .into_any()
}

#[component]
fn Identity(typed: Typed) -> impl IntoView {
    let mut policies = vec![Select { value: String::new(), word: "as usual".into() }];
    policies.extend(Select::same(PullPolicy::WORDS.iter().map(|(word, _)| *word)));
    view! {
        <Section title="The playbook">
            <div class="fields" id="identity">
                <Field name="workflow_id" label="Id" small="needed" required=true value=typed.value("workflow_id") error=typed.error("workflow_id")
                    mono=true autocomplete="off" placeholder="oomkill-scale-down" />
                <Field name="version" label="Version" small="needed, SemVer" required=true value=typed.value("version") error=typed.error("version")
                    mono=true autocomplete="off" placeholder="1.0.0" />
            </div>
            <Field name="title" label="Title" small="needed" required=true value=typed.value("title") error=typed.error("title") autocomplete="off" />
            <Field name="description" label="Description" small="needed; when to use it: what a model chooses by" required=true rows=3
                value=typed.value("description") error=typed.error("description") />
            <div class="fields wide-first">
                <Field name="container_image" label="Container image" small="needed; pinned to its digest when registered" required=true mono=true
                    autocomplete="off" value=typed.value("container_image") error=typed.error("container_image")
                    placeholder="quay.io/your-org/playbook:v1.0.0" />
                <Field name="image_pull_policy" label="Pulled" choices=policies value=typed.value("image_pull_policy")
                    error=typed.error("image_pull_policy") />
            </div>
        </Section>
    }
    .into_any()
}

#[component]
fn Purpose(typed: Typed) -> impl IntoView {
    let labels = [
        ("signal_type", "Signal"),
        ("severity", "Severity"),
        ("component", "Component"),
        ("environment", "Environment"),
        ("priority", "Priority"),
        ("risk_tolerance", "Risk tolerance"),
        ("business_category", "Business category"),
        ("category", "Category"),
    ];
    view! {
        <Section title="What it is for" aside=move || "labels; * matches anything">
            <div class="fields">{labels.map(|(name, label)| typed.text(name, label)).collect_view()}</div>
            <Field name="tags" label="Tags" small="separated by commas" value=typed.value("tags") error=typed.error("tags") autocomplete="off" />
        </Section>
    }
    .into_any()
}

#[component]
fn Running(typed: Typed) -> impl IntoView {
    let mut risks = vec![Select { value: String::new(), word: "not said".into() }];
    risks.extend(Select::same(Risk::WORDS.iter().map(|(word, _)| *word)));
    let again = ["", "yes", "no"].map(|word| Select {
        value: word.to_owned(),
        word: if word.is_empty() { "not said" } else { word }.to_owned(),
    });
    view! {
        <Section title="How it runs">
            <Field name="risk" label="Risk" small="what may go wrong; policies go by it where a model says less" choices=risks
                value=typed.value("risk") error=typed.error("risk") />
            <div class="fields">
                <Field name="timeout" label="Timeout" small="10m when left empty" value=typed.value("timeout") error=typed.error("timeout")
                    mono=true autocomplete="off" placeholder="10m" />
                <Field name="retry_count" label="Retries" small="0 to 5" value=typed.value("retry_count") error=typed.error("retry_count")
                    mono=true autocomplete="off" placeholder="0" />
            </div>
            <Field name="service_account" label="Service account" mono=true autocomplete="off" placeholder="playbook-executor"
                value=typed.value("service_account") error=typed.error("service_account") />
            <Field name="idempotent" label="Safe to repeat" small="twice does no more than once: then a failed run can be retried"
                choices=again.to_vec() value=typed.value("idempotent") error=typed.error("idempotent") />
            <Field name="capture" label="Kept before a run" small="one a line: a parameter, and the field of the target that it sets back in a rollback"
                rows=2 mono=true value=typed.value("capture") error=typed.error("capture") placeholder="SCALE_TARGET_REPLICAS /spec/replicas" />
            <Field name="internal_steps" label="Steps" small="one a line, for people; a model never sees them" rows=3
                value=typed.value("internal_steps") error=typed.error("internal_steps") />
            <Field name="outputs" label="Outputs" small="one a line: what the container must report, and its type" rows=2 mono=true
                value=typed.value("outputs") error=typed.error("outputs") placeholder="final_replicas integer" />
        </Section>
    }
    .into_any()
}

/// What the form has no field for: it is registered with the rest.
#[component]
fn Kept(kept: Vec<(String, serde_json::Value)>) -> impl IntoView {
    if kept.is_empty() {
        return ().into_any();
    }
    view! {
        <Section title="Also kept">
            <p class="sub">"This form has no field for it. It is registered with the rest; change it in the JSON or YAML."</p>
            <dl class="kv ruled also-kept">
                {kept.into_iter().map(|(pointer, value)| view! {
                    <dt><code>{pointer}</code></dt><dd>{match value.as_str() {
                        Some("") => "empty".to_owned(),
                        _ => plain(&value),
                    }}</dd>
                }).collect_view()}
            </dl>
        </Section>
    }
    .into_any()
}
