//! The API for people: the OpenAPI document that the server generates, operation by operation, with who may, what is sent and
//! what comes back.

mod schema;

use crate::{
    components::{Empty, PageHead, Section, TableBox},
    islands::CopyText,
    page::{Ask, Page},
};
use domain::services::Answer;
use leptos::prelude::*;
use schema::{SchemaField, fields, kind};
use serde_json::Value;
use std::collections::BTreeMap;

/// The document, handed in by the server through the context of the request.
#[derive(Clone, Debug)]
pub struct OpenApiDocument(pub &'static Value);

/// Shows the document. It is for everybody who is signed in.
pub async fn page(_ask: Ask) -> Answer<Page> {
    let document = use_context::<OpenApiDocument>().map(|document| document.0.clone());
    Ok(Page::below("API", api(document)))
}

/// One operation, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Operation {
    method: String,
    path: String,
    summary: String,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    responses: Vec<(String, String)>,
    /// Who may: the right, and the roles that grant it; none where being signed in is enough.
    right: Option<(String, Vec<String>)>,
}

/// What is sent: its form's name, its members, an example.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Body {
    form: String,
    needed: bool,
    fields: Vec<SchemaField>,
    example: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parameter {
    name: String,
    place: String,
    kind: String,
    required: bool,
    description: String,
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The operations by their first tag, in the document's order within it.
fn operations(document: &Value) -> BTreeMap<String, Vec<Operation>> {
    let mut groups: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
    let paths = document.get("paths").and_then(Value::as_object);
    for (path, item) in paths.into_iter().flatten() {
        for method in METHODS {
            let Some(found) = item.get(method) else { continue };
            let tag = found.pointer("/tags/0").and_then(Value::as_str).unwrap_or("other").to_owned();
            groups.entry(tag).or_default().push(operation(document, method, path, found));
        }
    }
    groups
}

fn operation(document: &Value, method: &str, path: &str, value: &Value) -> Operation {
    let parameters = value.get("parameters").and_then(Value::as_array);
    let responses = value.get("responses").and_then(Value::as_object);
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: ["summary", "description"]
            .iter()
            .map(|key| text(value, key))
            .find(|t| !t.is_empty())
            .unwrap_or_default(),
        parameters: parameters.into_iter().flatten().map(parameter).collect(),
        body: value.get("requestBody").map(|sent| body(document, sent)),
        right: value.get("x-required-right").and_then(Value::as_str).map(|right| {
            let roles = value.get("x-roles").and_then(Value::as_array).into_iter().flatten();
            (right.to_owned(), roles.filter_map(Value::as_str).map(str::to_owned).collect())
        }),
        responses: responses
            .into_iter()
            .flatten()
            .map(|(status, response)| (status.clone(), join(&[&text(response, "description"), &media(response)])))
            .collect(),
    }
}

fn body(document: &Value, sent: &Value) -> Body {
    let content = sent.pointer("/content/application~1json");
    let example = content.and_then(|content| content.get("example")).filter(|example| !example.is_null());
    Body {
        form: media(sent),
        needed: sent.get("required").and_then(Value::as_bool).unwrap_or(false),
        fields: content.and_then(|content| content.get("schema")).map(|s| fields(document, s)).unwrap_or_default(),
        example: example.map(|example| format!("{example:#}")),
    }
}

fn parameter(value: &Value) -> Parameter {
    Parameter {
        name: text(value, "name"),
        place: text(value, "in"),
        kind: value.get("schema").map(kind).unwrap_or_default(),
        required: value.get("required").and_then(Value::as_bool).unwrap_or(false),
        description: text(value, "description"),
    }
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn join(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" · ")
}

/// What a body carries: its schema's name, and its media type where that is not JSON.
fn media(value: &Value) -> String {
    let content = value.get("content").and_then(Value::as_object);
    let each = content.into_iter().flatten().map(|(media_type, content)| {
        let kind = content.get("schema").map(kind).unwrap_or_default();
        if media_type == "application/json" { kind } else { join(&[&kind, media_type]) }
    });
    each.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" or ")
}

/// The page.
pub fn api(document: Option<Value>) -> AnyView {
    let Some(document) = document else {
        return view! {
            <PageHead title="API" />
            <Empty title="The description is not there"><p>"Programs find it at "<a href="/api/v1/openapi.json">"/api/v1/openapi.json"</a>"."</p></Empty>
        }
        .into_any();
    };
    let version = document.pointer("/info/version").and_then(Value::as_str).unwrap_or_default().to_owned();
    let about = document.pointer("/info/description").and_then(Value::as_str).unwrap_or_default().to_owned();
    let groups = operations(&document);
    let places: Vec<String> = groups.keys().cloned().collect();
    view! {
        <PageHead title="API" sub=move || format!("Version {version}. Programs send a token: Authorization: Bearer …")>
            <a class="btn" href="/api/v1/openapi.json">"OpenAPI document"</a>
        </PageHead>
        <p class="api-about">{about}</p>
        <nav class="api-places" aria-label="Groups of operations">
            <ul class="tags">{places.into_iter().map(|tag| view! { <li><a href=format!("#{tag}")>{tag.clone()}</a></li> }).collect_view()}</ul>
        </nav>
        {groups.into_iter().map(|(tag, operations)| view! {
            <div id=tag.clone()>
                <Section title=crate::words::humane(&tag)>
                    <ul class="rows api">{operations.into_iter().map(|operation| view! { <Line operation /> }).collect_view()}</ul>
                </Section>
            </div>
        }).collect_view()}
    }
    .into_any()
}

/// A sentence with what stands between backticks as code.
fn marked(text: &str) -> impl IntoView + use<> {
    let parts = text.split('`').enumerate();
    parts
        .map(|(index, part)| match index % 2 {
            0 => part.to_owned().into_any(),
            _ => view! { <code>{part.to_owned()}</code> }.into_any(),
        })
        .collect_view()
}

#[component]
fn Line(operation: Operation) -> impl IntoView {
    let Operation { method, path, summary, parameters, body, responses, right } = operation;
    let label = format!("Parameters of {method} {path}");
    let call = format!("{method} {path}");
    view! {
        <li>
            <details>
                <summary>
                    <b class="method">{format!("{method} ")}</b><code>{format!("{path} ")}</code><span class="sub">{marked(&summary)}</span>
                </summary>
                <p class="api-who sub">{match right {
                    None => view! { "Everybody who is signed in." }.into_any(),
                    Some((right, roles)) => view! { "Roles: "{roles.join(", ")}" "<span>"(right "<code>{right}</code>")"</span> }.into_any(),
                }}</p>
                {(!parameters.is_empty()).then(|| view! {
                    <TableBox label=label>
                        <table class="grid">
                            <caption>"Parameters"</caption>
                            <thead><tr><th scope="col">"Name"</th><th scope="col">"Where"</th><th scope="col">"Type"</th><th scope="col">"Needed"</th></tr></thead>
                            <tbody>
                                {parameters.into_iter().map(|p| view! {
                                    <tr>
                                        <th scope="row"><code>{p.name}</code>
                                            {(!p.description.is_empty()).then(|| view! { <p class="sub">{marked(&p.description)}</p> })}</th>
                                        <td>{p.place}</td><td>{p.kind}</td><td>{if p.required { "yes" } else { "no" }}</td>
                                    </tr>
                                }).collect_view()}
                            </tbody>
                        </table>
                    </TableBox>
                })}
                {body.map(|body| view! { <Sent body call=call.clone() /> })}
                <table class="grid">
                    <caption>"Answers"</caption>
                    <thead class="vh"><tr><th scope="col">"Status"</th><th scope="col">"What it carries"</th></tr></thead>
                    <tbody>
                        {responses.into_iter().map(|(status, what)| view! {
                            <tr><th scope="row">{status}</th><td>{marked(&what)}</td></tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </details>
        </li>
    }
    .into_any()
}

/// What is sent.
#[component]
fn Sent(body: Body, call: String) -> impl IntoView {
    let Body { form, needed, fields, example } = body;
    let (label, shown) = (format!("Body of {call}"), format!("Example of {call}"));
    view! {
        {(!fields.is_empty()).then(|| view! {
            <TableBox label=label>
                <table class="grid">
                    <caption>"Body: "{form}{if needed { "" } else { ", may be left out" }}</caption>
                    <thead><tr><th scope="col">"Name"</th><th scope="col">"Type"</th><th scope="col">"Needed"</th></tr></thead>
                    <tbody>
                        {fields.into_iter().map(|field| view! {
                            <tr>
                                <th scope="row"><code>{field.name}</code>
                                    {(!field.description.is_empty()).then(|| view! { <p class="sub">{marked(&field.description)}</p> })}</th>
                                <td>{field.kind}{(!field.rule.is_empty()).then(|| view! { <p class="sub api-rule">{field.rule.clone()}</p> })}</td>
                                <td>{if field.required { "yes" } else { "no" }}</td>
                            </tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </TableBox>
        })}
        {example.map(|text| view! {
            <div class="api-example">
                <p class="sub"><b>"Example"</b>" "<CopyText text=text.clone() what="example" /></p>
                <pre class="code" tabindex="0" role="region" aria-label=shown>{text}</pre>
            </div>
        })}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operations_are_grouped_and_told_in_words() {
        let document = json!({"paths": {"/a/{id}": {
            "get": {"tags": ["things"], "summary": "One.", "parameters": [
                {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
                {"name": "n", "in": "query", "schema": {"type": ["integer", "null"]}}],
                "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "404": {"description": "gone", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}}},
            "post": {"responses": {}}}}});
        let groups = operations(&document);
        let things = &groups["things"];
        assert_eq!((things[0].method.as_str(), things[0].parameters[1].kind.as_str()), ("GET", "integer"));
        assert_eq!(things[0].responses[0], ("200".into(), "Thing".into()));
        assert_eq!(things[0].responses[1].1, "gone · Problem · application/problem+json");
        assert_eq!(groups["other"][0].method, "POST");
    }
}
