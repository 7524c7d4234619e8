//! `/api/v1/playbooks`.

use super::{
    conditional::{ASK_AGAIN, FOREVER, known, quoted, tagged},
    query::{NoQuery, Query},
    wire::{Linked, List, json},
};
use crate::{
    doors::{
        access::{Access, Routes, Who},
        body::{self, Json},
        gate::Gate,
        problem::Problem,
    },
    urlencoded::segment,
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    effectiveness::EffectivenessRow,
    identity::{Actor, Right},
    playbook::{PlaybookId, Version},
    ports::{CatalogFilter, PlaybookRecord, PlaybookStatus, StatusChange},
    reader,
    search::Meaning,
    services::{CatalogService, Found, RegistrationPreview, ServiceError},
    signature::{ImageSignature, Signature},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::{Value, json as object};
use sha2::{Digest as _, Sha256};

/// A playbook version on the wire: the registration's own fields, and what the catalog knows of it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PlaybookBody {
    /// The registration.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    registration: Value,
    /// The image by digest; only for those who may read the whole catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// Whether somebody trusted signed the image; null when it is not known.
    signed: Option<bool>,
    /// Who signed the image, and why that counts or not.
    signature: ImageSignature,
    /// Where the version stands.
    status: PlaybookStatus,
    /// Why it stands there, as people told each other; only for those who may read the whole catalog.
    status_reason: Option<String>,
    /// When it was registered.
    registered_at: Timestamp,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    registered_by: Option<Actor>,
    /// The measured track record; null without runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    track_record: Option<EffectivenessRow>,
    /// Why a search found it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    matched: Vec<String>,
}

/// A page of a search.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct FoundBody {
    #[serde(flatten)]
    list: List<Linked<PlaybookBody>>,
    /// What meaning had to do with it; `late` when the question's meaning was not known in time, and text alone was searched.
    meaning: Meaning,
}

fn body_of(record: PlaybookRecord, whole: bool) -> Linked<PlaybookBody> {
    let (this, page) = addresses(&record.registration.id, &record.registration.version);
    let mut registration = object!(record.registration);
    if !whole && let Some(fields) = registration.as_object_mut() {
        // What a model sees: exposed parameters only, and nothing of how or as whom it runs.
        for name in ["internal_steps", "remediation_steps", "container_image", "image_pull_policy", "execution"] {
            fields.remove(name);
        }
        if let Some(parameters) = fields.get_mut("parameters").and_then(Value::as_object_mut) {
            parameters.remove("hidden");
        }
    }
    let body = PlaybookBody {
        registration,
        image: whole.then(|| record.image.to_string()),
        signed: match record.signature.state {
            Signature::Verified => Some(true),
            Signature::Untrusted | Signature::Missing => Some(false),
            Signature::Unknown => None,
        },
        signature: record.signature,
        status: record.status,
        status_reason: record.status_reason.filter(|_| whole),
        registered_at: record.registered_at,
        registered_by: whole.then_some(record.registered_by),
        track_record: None,
        matched: Vec::new(),
    };
    Linked::new(body, this, page)
}

/// Where a version stands, in the API and in the console.
fn addresses(id: &PlaybookId, version: &Version) -> (String, String) {
    let version = segment(&version.to_string());
    (format!("/api/v1/playbooks/{id}/versions/{version}"), format!("/catalog/{id}"))
}

/// A registration that passes.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ValidBody {
    /// Always true: what does not pass is a problem.
    valid: bool,
    /// Whether the very same is registered already.
    registered: bool,
    /// What was understood.
    #[schema(value_type = Object)]
    registration: Value,
    /// JSON Schema of the exposed parameters: what a model will be shown.
    #[schema(value_type = Object)]
    schema: Value,
}

pub fn routes(routes: Routes) -> Routes {
    let (read, search, write) =
        (Access::Needs(Right::CatalogRead), Access::Needs(Right::CatalogSearch), Access::Needs(Right::CatalogWrite));
    routes
        .add(Method::POST, "/api/v1/playbooks", write, register)
        .add(Method::POST, "/api/v1/playbooks/validate", write, validate)
        .add(Method::GET, "/api/v1/playbooks", search, list)
        .add(Method::GET, "/api/v1/playbooks/{workflow_id}", search, newest)
        .add(Method::GET, "/api/v1/playbooks/{workflow_id}/versions", read, versions)
        .add(Method::GET, "/api/v1/playbooks/{workflow_id}/versions/{version}", search, version)
        .add(Method::GET, "/api/v1/playbooks/{workflow_id}/versions/{version}/schema", search, schema)
        .add(Method::POST, "/api/v1/playbooks/{workflow_id}/versions/{version}/status", write, set_status)
}

/// Registers a playbook version.
#[utoipa::path(post, path = "/api/v1/playbooks", tag = "catalog",
    responses((status = 201, body = Linked<PlaybookBody>), (status = 200, body = Linked<PlaybookBody>, description = "the very same was there already")))]
pub async fn register(
    State(gate): State<Gate>,
    Who(caller): Who,
    _: NoQuery,
    Json(sent): Json,
) -> Result<Response, Problem> {
    let (record, new) = gate.services.register(&caller, &sent).await?;
    let tag = quoted(&record.tag());
    let body = body_of(record, true);
    let location = body.links.this.clone();
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(([(header::LOCATION, location), (header::ETAG, tag)], json(status, &body)).into_response())
}

/// The same checks as registering, nothing stored.
#[utoipa::path(post, path = "/api/v1/playbooks/validate", tag = "catalog",
    responses((status = 200, body = Linked<ValidBody>)))]
pub async fn validate(
    State(gate): State<Gate>,
    Who(caller): Who,
    _: NoQuery,
    Json(sent): Json,
) -> Result<Response, Problem> {
    let RegistrationPreview { registration, schema, registered } = gate.services.validate(&caller, &sent).await?;
    let (this, page) = addresses(&registration.id, &registration.version);
    let page = if registered { page } else { "/catalog/new".into() };
    let body = ValidBody { valid: true, registered, registration: object!(registration), schema };
    Ok(json(StatusCode::OK, &Linked::new(body, this, page)))
}

/// The newest version of each playbook that matches; the more exact labels first, and the best first where `q` asks for something.
#[utoipa::path(get, path = "/api/v1/playbooks", tag = "catalog",
    params(("q" = Option<String>, Query), ("signal_type" = Option<String>, Query), ("severity" = Option<String>, Query),
        ("component" = Option<String>, Query), ("environment" = Option<String>, Query), ("priority" = Option<String>, Query),
        ("risk_tolerance" = Option<String>, Query), ("business_category" = Option<String>, Query), ("category" = Option<String>, Query),
        ("tag" = Option<Vec<String>>, Query), ("status" = Option<String>, Query), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = FoundBody)))]
pub async fn list(State(gate): State<Gate>, Who(caller): Who, query: Query) -> Result<Response, Problem> {
    let mut query = query.read();
    let status = query.parsed("status", "one of active, disabled, deprecated, any", |word| match word {
        "any" => Some(None),
        word => PlaybookStatus::from_name(word).map(Some),
    });
    let filter = CatalogFilter {
        q: query.text("q"),
        signal_type: query.text("signal_type"),
        severity: query.text("severity"),
        component: query.text("component"),
        environment: query.text("environment"),
        priority: query.text("priority"),
        risk_tolerance: query.text("risk_tolerance"),
        business_category: query.text("business_category"),
        category: query.text("category"),
        tags: query.tags(),
        status: status.unwrap_or(Some(PlaybookStatus::Active)),
    };
    let page = query.page();
    query.finish()?;
    let whole = caller.may(Right::CatalogRead);
    let Found { page, meaning } = gate.services.find(&caller, &filter, &page).await?;
    let list: List<_> = page
        .map(|item| {
            let mut body = body_of(item.playbook, whole);
            body.object.matched = item.matched;
            body.object.track_record = item.track;
            body
        })
        .into();
    Ok(json(StatusCode::OK, &FoundBody { list, meaning }))
}

/// The newest active version of a playbook; the newest of all where none is active.
#[utoipa::path(get, path = "/api/v1/playbooks/{workflow_id}", tag = "catalog", params(("workflow_id" = String, Path)),
    responses((status = 200, body = Linked<PlaybookBody>)))]
pub async fn newest(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    _: NoQuery,
) -> Result<Response, Problem> {
    let record = gate.services.newest(&caller, &playbook_id(&id)?).await?;
    let whole = caller.may(Right::CatalogRead);
    let mut body = body_of(record, whole);
    body.links.this = format!("/api/v1/playbooks/{id}");
    Ok(json(StatusCode::OK, &body))
}

/// All versions of a playbook, newest first.
#[utoipa::path(get, path = "/api/v1/playbooks/{workflow_id}/versions", tag = "catalog",
    params(("workflow_id" = String, Path), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = List<Linked<PlaybookBody>>)))]
pub async fn versions(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    let mut query = query.read();
    let page = query.page();
    query.finish()?;
    let found = gate.services.versions(&caller, &playbook_id(&id)?, &page).await?;
    Ok(json(StatusCode::OK, &List::from(found.map(|record| body_of(record, true)))))
}

/// One version: it never changes but for its status.
#[utoipa::path(get, path = "/api/v1/playbooks/{workflow_id}/versions/{version}", tag = "catalog",
    params(("workflow_id" = String, Path), ("version" = String, Path)),
    responses((status = 200, body = Linked<PlaybookBody>)))]
pub async fn version(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path((id, version)): Path<(String, String)>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let record = gate.services.version(&caller, &playbook_id(&id)?, &playbook_version(&version)?).await?;
    let whole = caller.may(Right::CatalogRead);
    // What a model sees of it is another representation.
    let tag = if whole { record.tag() } else { format!("{}-m", record.tag()) };
    // The status may change at any time: whoever keeps it asks again.
    Ok(tagged(&headers, json(StatusCode::OK, &body_of(record, whole)), &tag, ASK_AGAIN))
}

/// JSON Schema 2020-12 of the exposed parameters: what a model is shown.
#[utoipa::path(get, path = "/api/v1/playbooks/{workflow_id}/versions/{version}/schema", tag = "catalog",
    params(("workflow_id" = String, Path), ("version" = String, Path)),
    responses((status = 200, body = Object, content_type = "application/schema+json")))]
pub async fn schema(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path((id, version)): Path<(String, String)>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let schema = gate.services.schema(&caller, &playbook_id(&id)?, &playbook_version(&version)?).await?;
    let mut answer = json(StatusCode::OK, &schema);
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/schema+json"));
    let tag = hex::encode(&Sha256::digest(schema.to_string())[..16]);
    Ok(tagged(&headers, answer, &tag, FOREVER))
}

/// Sets the status of a version.
#[utoipa::path(post, path = "/api/v1/playbooks/{workflow_id}/versions/{version}/status", tag = "catalog",
    params(("workflow_id" = String, Path), ("version" = String, Path)),
    responses((status = 200, body = Linked<PlaybookBody>)))]
pub async fn set_status(
    State(gate): State<Gate>,
    Who(caller): Who,
    Path((id, version)): Path<(String, String)>,
    _: NoQuery,
    headers: HeaderMap,
    Json(sent): Json,
) -> Result<Response, Problem> {
    const WORDS: &[(&str, PlaybookStatus)] = &[
        ("active", PlaybookStatus::Active),
        ("disabled", PlaybookStatus::Disabled),
        ("deprecated", PlaybookStatus::Deprecated),
    ];
    let (status, reason) = body::read(&sent, |o| {
        let status = o.required("status", reader::one_of(WORDS));
        let reason = o.optional("reason", reader::paragraphs(1..=4096));
        Some((status?, reason))
    })?;
    let (id, version) = (playbook_id(&id)?, playbook_version(&version)?);
    let change = StatusChange { status, reason, known: known(&headers) };
    let record = gate.services.set_status(&caller, &id, &version, change).await?;
    let tag = quoted(&record.tag());
    Ok(([(header::ETAG, tag)], json(StatusCode::OK, &body_of(record, true))).into_response())
}

/// An id that can't be one names nothing.
fn playbook_id(text: &str) -> Result<PlaybookId, Problem> {
    text.parse().map_err(|_| ServiceError::NotFound("playbook").into())
}

fn playbook_version(text: &str) -> Result<Version, Problem> {
    text.parse().map_err(|_| ServiceError::NotFound("playbook version").into())
}
