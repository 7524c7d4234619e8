//! The HTTP face: a tower service that a `kube::Client` takes for an API server. Faults strike here, and only here, so
//! that the cluster behind it goes on while its API server fails.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};

use super::delete::Deleted;
use super::http::{self as wire, Path};
use super::kinds::Kind;
use super::logs::{self, LogOptions};
use super::patch::{self, Patch};
use super::reply::{Reply, expired_watch, nothing_here, refusal, reply, streaming, until_empty, value};
use super::selector::Selector;
use super::status::{ApiError, Cause};
use super::store::Key;
use super::watch::WatchOptions;
use super::{Api, Query, Sub, Write, is_dry_run, pages};
use crate::faults::{Broken, Effect, Verb};

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Service(pub(crate) Arc<Api>);

impl tower::Service<Request<Body>> for Service {
    type Response = Reply;
    type Error = Broken;
    type Future = BoxFuture<'static, Result<Reply, Broken>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let api = Arc::clone(&self.0);
        Box::pin(async move { Call::read(api, request).await?.answer().await })
    }
}

/// One request, read.
struct Call {
    api: Arc<Api>,
    method: Method,
    path: String,
    query: Query,
    content_type: String,
    meta: bool,
    body: Bytes,
}

/// What a resource's path names.
struct Target<'a> {
    kind: Arc<Kind>,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
    sub: Option<&'a str>,
}

impl Target<'_> {
    fn key(&self) -> Key {
        let namespace = if self.kind.namespaced { self.namespace.unwrap_or_default() } else { "" };
        Key::new(namespace, self.name.unwrap_or_default())
    }

    fn part(&self) -> Result<Sub, ApiError> {
        match self.sub {
            None => Ok(Sub::Main),
            Some("status") if self.kind.status => Ok(Sub::Status),
            Some(_) => Err(ApiError::no_such_resource()),
        }
    }
}

impl Call {
    async fn read(api: Arc<Api>, request: Request<Body>) -> Result<Self, Broken> {
        let (parts, body) = request.into_parts();
        let header =
            |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
        Ok(Self {
            api,
            path: parts.uri.path().to_owned(),
            query: wire::query(parts.uri.query()),
            content_type: header(header::CONTENT_TYPE),
            meta: header(header::ACCEPT).contains("as=PartialObjectMetadata"),
            method: parts.method,
            body,
        })
    }

    async fn answer(self) -> Result<Reply, Broken> {
        if self.api.faults.is_down() {
            return Err(Broken);
        }
        let Some(path) = Path::parse(&self.path) else {
            return Ok(self.outside_resources());
        };
        if let Some(reply) = self.review(&path) {
            return Ok(reply);
        }
        let kind = self.api.transaction(|tx| tx.kinds().by_plural(path.group, path.version, path.plural));
        let Some(kind) = kind else {
            return Ok(nothing_here());
        };
        let target = Target { kind, namespace: path.namespace, name: path.name, sub: path.sub };
        let effect = self.strike(&target);
        match effect {
            None => Ok(self.respond(&target)),
            Some(effect) => self.fail(effect, &target).await,
        }
    }

    fn respond(&self, target: &Target<'_>) -> Reply {
        self.dispatch(target).unwrap_or_else(|error| refusal(&error))
    }

    fn verb(&self, target: &Target<'_>) -> Verb {
        match (&self.method, target.name.is_some()) {
            (&Method::POST, _) => Verb::Create,
            (&Method::PUT, _) => Verb::Update,
            (&Method::PATCH, _) => Verb::Patch,
            (&Method::DELETE, true) => Verb::Delete,
            (&Method::DELETE, false) => Verb::DeleteCollection,
            (_, true) => Verb::Get,
            (_, false) if self.is_watch() => Verb::Watch,
            (_, false) => Verb::List,
        }
    }

    fn is_watch(&self) -> bool {
        self.query.get("watch").is_some_and(|watch| watch == "true" || watch == "1")
    }

    fn strike(&self, target: &Target<'_>) -> Option<Effect> {
        let name = target.name.map_or_else(|| self.name_in_body(), ToOwned::to_owned);
        self.api.faults.strike(self.verb(target), &target.kind.plural, &name)
    }

    fn name_in_body(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["metadata"]["name"].as_str().unwrap_or_default().to_owned()
    }

    async fn fail(&self, effect: Effect, target: &Target<'_>) -> Result<Reply, Broken> {
        let (kind, name) = (&target.kind, target.name.map_or_else(|| self.name_in_body(), ToOwned::to_owned));
        let error = match effect {
            Effect::LoseReply => {
                self.respond(target);
                return Err(Broken);
            }
            Effect::Disconnect => return Err(Broken),
            Effect::Hang => return std::future::pending().await,
            Effect::DeletedBySomeone(after) => {
                let reply = self.respond(target);
                self.delete_later(kind, Key::new(target.namespace.unwrap_or_default(), name), after);
                return Ok(reply);
            }
            Effect::Expired if self.verb(target) == Verb::Watch => return Ok(expired_watch()),
            Effect::Expired => ApiError::expired(1, self.api.transaction(|tx| tx.version())),
            Effect::Conflict => ApiError::modified(kind, &name),
            Effect::Forbidden(why) => ApiError::forbidden(kind, &name, &why),
            Effect::WebhookDenial(why) => ApiError::denied_by_policy("policy.sandbox.example", &why),
            Effect::Invalid(why) => ApiError::invalid(kind, &name, &[Cause::forbidden("spec", &why)]),
            Effect::TooManyRequests(seconds) => ApiError::too_many_requests(seconds),
            Effect::InternalError => ApiError::internal("the sandbox was told to"),
            Effect::Unavailable => ApiError::unavailable("the server is currently unable to handle the request"),
            // These strike pods; `Faults::strike` never hands them to a request.
            Effect::QuotaExceeded | Effect::ImagePull | Effect::Unschedulable => return Ok(self.respond(target)),
        };
        Ok(refusal(&error))
    }

    fn delete_later(&self, kind: &Arc<Kind>, key: Key, after: u64) {
        let (api, kind) = (Arc::clone(&self.api), Arc::clone(kind));
        tokio::spawn(async move {
            api.time.sleep(after).await;
            // Whoever was faster has done the work.
            let _ = api.delete(&kind, &key, &super::DeleteOptions::default());
        });
    }

    fn dispatch(&self, target: &Target<'_>) -> Result<Reply, ApiError> {
        if target.sub == Some("log") && target.kind.qualified == "pods" {
            return self.log(target);
        }
        if (target.sub, &self.method) == (Some("token"), &Method::POST) && target.kind.qualified == "serviceaccounts" {
            let request = wire::body("TokenRequest", &self.content_type, &self.body)?;
            return Ok(value(StatusCode::CREATED, &self.api.request_token(&target.key(), request)?));
        }
        if target.sub == Some("scale") && target.kind.scale {
            return self.scale(target);
        }
        let (kind, key) = (&target.kind, target.key());
        let namespace = if kind.namespaced { target.namespace } else { None };
        let write = self.write()?;
        match (&self.method, target.name) {
            (&Method::GET, Some(_)) => {
                target.part()?;
                let object = self.api.get(&kind.qualified, &key).ok_or_else(|| ApiError::not_found(kind, &key.name))?;
                Ok(self.object(StatusCode::OK, &object.json))
            }
            (&Method::GET, None) if self.is_watch() => {
                let options = WatchOptions::parse(&self.query, namespace, self.selector(kind)?, self.meta)?;
                Ok(streaming(self.api.watch(kind, options), "application/json"))
            }
            (&Method::GET, None) => {
                let page = self.api.page(kind, namespace, &self.selector(kind)?, &self.query, self.meta)?;
                Ok(reply(StatusCode::OK, page))
            }
            (&Method::POST, None) => {
                if kind.namespaced && target.namespace.is_none() {
                    return Err(ApiError::method_not_allowed());
                }
                let object = self.api.create(kind, namespace.unwrap_or_default(), self.json(kind)?, write)?;
                Ok(self.object(StatusCode::CREATED, &object.json))
            }
            (&Method::PUT, Some(_)) => {
                let object = self.api.update(kind, &key, target.part()?, self.json(kind)?, write)?;
                Ok(self.object(StatusCode::OK, &object.json))
            }
            (&Method::PATCH, Some(_)) => {
                let patch = wire::patch(&target.kind.kind, &self.content_type, &self.body, &self.query)?;
                let (object, created) = self.api.patch(kind, &key, target.part()?, &patch, write)?;
                Ok(self.object(if created { StatusCode::CREATED } else { StatusCode::OK }, &object.json))
            }
            (&Method::DELETE, Some(name)) => {
                let options = wire::delete_options(&self.body, &self.query)?;
                match self.api.delete(kind, &key, &options)? {
                    Deleted::Going(object) => Ok(self.object(StatusCode::OK, &object.json)),
                    Deleted::Gone(object) => {
                        let mut details = json!({"name": name, "kind": kind.plural, "uid": object.uid});
                        if !kind.group.is_empty() {
                            details["group"] = kind.group.clone().into();
                        }
                        Ok(value(
                            StatusCode::OK,
                            &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}),
                        ))
                    }
                }
            }
            (&Method::DELETE, None) => {
                let options = wire::delete_options(&self.body, &self.query)?;
                let objects = self.api.delete_collection(kind, namespace, &self.selector(kind)?, &options)?;
                let items: Vec<Value> = objects.iter().map(|object| object.value()).collect();
                Ok(value(
                    StatusCode::OK,
                    &json!({"kind": format!("{}List", kind.kind), "apiVersion": kind.api_version(), "metadata": {}, "items": items}),
                ))
            }
            _ => Err(ApiError::method_not_allowed()),
        }
    }

    fn selector(&self, kind: &Kind) -> Result<Selector, ApiError> {
        let text = |name: &str| self.query.get(name).map(String::as_str).unwrap_or_default();
        Selector::parse(text("labelSelector"), text("fieldSelector"), &kind.selectable())
    }

    fn json(&self, kind: &Kind) -> Result<Value, ApiError> {
        wire::body(&kind.kind, &self.content_type, &self.body)
    }

    fn write(&self) -> Result<Write, ApiError> {
        let strict = self.query.get("fieldValidation").is_some_and(|mode| mode == "Strict");
        Ok(Write { dry_run: is_dry_run(&self.query)?, strict })
    }

    fn object(&self, status: StatusCode, json: &Bytes) -> Reply {
        reply(status, if self.meta { pages::partial(json) } else { json.clone() })
    }

    fn log(&self, target: &Target<'_>) -> Result<Reply, ApiError> {
        let key = target.key();
        let pod = self.api.get("pods", &key).ok_or_else(|| ApiError::not_found(&target.kind, &key.name))?;
        let value = pod.value();
        let names: Vec<&str> =
            value["spec"]["containers"].as_array().into_iter().flatten().filter_map(|c| c["name"].as_str()).collect();
        let container = match (self.query.get("container"), names.as_slice()) {
            (Some(name), _) => name.as_str(),
            (None, [one]) => one,
            (None, many) => {
                let why = format!(
                    "a container name must be specified for pod {}, choose one of: [{}]",
                    key.name,
                    many.join(" ")
                );
                return Err(ApiError::bad_request(why));
            }
        };
        let options = LogOptions::parse(&self.query, self.api.time.now_ms())?;
        let Some(log) = self.api.logs.get(&pod.uid, container) else {
            if value["spec"].get("nodeName").is_none() {
                return Err(ApiError::bad_request(format!("pod {} does not have a host assigned", key.name)));
            }
            let init = value["spec"]["initContainers"].as_array().into_iter().flatten().any(|c| c["name"] == container);
            if !init && !names.contains(&container) {
                return Err(ApiError::bad_request(format!("container {container} is not valid for pod {}", key.name)));
            }
            let waiting =
                value["status"]["containerStatuses"].as_array().into_iter().flatten().find(|c| c["name"] == container);
            let reason = waiting.and_then(|c| c["state"]["waiting"]["reason"].as_str()).unwrap_or("ContainerCreating");
            let why = format!("container \"{container}\" in pod \"{}\" is waiting to start: {reason}", key.name);
            return Err(ApiError::bad_request(why));
        };
        if options.follow {
            let mut broken = self.api.faults.connections();
            broken.borrow_and_update();
            let cut = futures::stream::once(async move { broken.changed().await }).map(|_| Err(Broken));
            let lines = logs::follow(log, options).map(Ok).chain(futures::stream::once(async { Ok(Bytes::new()) }));
            return Ok(streaming(until_empty(futures::stream::select(lines, cut)), "text/plain"));
        }
        let mut response = reply(StatusCode::OK, logs::read(&log, &options).0);
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain"));
        Ok(response)
    }

    fn scale(&self, target: &Target<'_>) -> Result<Reply, ApiError> {
        let (kind, key) = (&target.kind, target.key());
        let object = self.api.get(&kind.qualified, &key).ok_or_else(|| ApiError::not_found(kind, &key.name))?;
        let mut scale = as_scale(&object.value());
        match self.method {
            Method::GET => return Ok(value(StatusCode::OK, &scale)),
            Method::PUT => scale = self.json(kind)?,
            Method::PATCH => {
                scale = patch::patched(
                    &scale,
                    &wire::patch(&target.kind.kind, &self.content_type, &self.body, &self.query)?,
                )?;
            }
            _ => return Err(ApiError::method_not_allowed()),
        }
        let body = json!({"metadata": {"resourceVersion": scale["metadata"]["resourceVersion"]}, "spec": {"replicas": scale["spec"]["replicas"]}});
        let (object, _) = self.api.patch(kind, &key, Sub::Main, &Patch::Merge(body), self.write()?)?;
        Ok(value(StatusCode::OK, &as_scale(&object.value())))
    }

    /// Questions that are asked by creating something: what somebody may, and whose a token is.
    fn review(&self, path: &Path<'_>) -> Option<Reply> {
        let of_tokens = (path.group, path.plural) == ("authentication.k8s.io", "tokenreviews");
        if self.method != Method::POST || !(of_tokens || path.group == "authorization.k8s.io") {
            return None;
        }
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        if !body.is_object() {
            return Some(refusal(&ApiError::bad_request("the body of the request is not an object")));
        }
        let answer = if of_tokens { self.api.review_token(body) } else { self.api.review_access(body) };
        Some(value(StatusCode::CREATED, &answer))
    }

    fn outside_resources(&self) -> Reply {
        match self.path.as_str() {
            "/readyz" | "/livez" | "/healthz" => reply(StatusCode::OK, Bytes::from_static(b"ok")),
            path => match self.api.discover(path) {
                Some(found) => value(StatusCode::OK, &found),
                None => nothing_here(),
            },
        }
    }
}

/// The `autoscaling/v1` view of something that has replicas.
fn as_scale(object: &Value) -> Value {
    let metadata = &object["metadata"];
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"], "creationTimestamp": metadata["creationTimestamp"]},
        "spec": {"replicas": object["spec"]["replicas"]},
        "status": {"replicas": object["status"]["replicas"].as_i64().unwrap_or(0)},
    })
}
