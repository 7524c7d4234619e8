//! Registries as they answer, rightly and wrongly: what is made of it, and who is asked for what.

use super::{Checked, Client, PinnedOnly};
use crate::{outbound::Outbound, signatures::tests::team};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Response, header},
};
use domain::{
    accounts::Secret,
    ids::Digest,
    playbook::ImageRef,
    ports::{Clock, Registry as _},
    signature::{ImageSignature, Signature},
    time::Timestamp,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

struct At(i64);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0 * 1000)
    }
}

#[derive(Default)]
struct Inside {
    answers: HashMap<String, (u16, Vec<u8>)>,
    /// Where paths lie elsewhere.
    elsewhere: HashMap<String, String>,
    /// What must be said to be let in, and where to get it.
    wants: Option<(String, String)>,
    asked: Vec<(String, Option<String>)>,
}

/// A registry on this machine.
#[derive(Clone)]
struct Server {
    host: String,
    inside: Arc<Mutex<Inside>>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { host: listener.local_addr().unwrap().to_string(), inside: Arc::default() };
        let answering = server.clone();
        let router = Router::new().fallback(move |request: Request| {
            let answering = answering.clone();
            async move { answering.answer(&request) }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    fn answer(&self, request: &Request) -> Response<Body> {
        let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        let by = request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
        let mut inside = self.inside.lock().unwrap();
        inside.asked.push((path.clone(), by.clone()));
        let answer = Response::builder();
        if let Some((_, realm)) =
            inside.wants.as_ref().filter(|(wanted, _)| path.starts_with("/v2/") && by.as_ref() != Some(wanted))
        {
            let asked = format!("Bearer realm=\"{realm}\",service=\"samples\"");
            return answer.status(401).header(header::WWW_AUTHENTICATE, asked).body(Body::empty()).unwrap();
        }
        if let Some(to) = inside.elsewhere.get(&path) {
            return answer.status(307).header(header::LOCATION, to).body(Body::empty()).unwrap();
        }
        let (status, body) = inside.answers.get(&path).cloned().unwrap_or((404, Vec::new()));
        answer.status(status).body(Body::from(body)).unwrap()
    }

    fn has(&self, path: String, body: &[u8]) {
        self.inside.lock().unwrap().answers.insert(path, (200, body.to_vec()));
    }

    fn blob(&self, body: &[u8]) -> Digest {
        let digest = Digest::from_bytes(Sha256::digest(body).into());
        self.has(format!("/v2/team/image/blobs/{digest}"), body);
        digest
    }

    fn asked(&self) -> Vec<(String, Option<String>)> {
        self.inside.lock().unwrap().asked.clone()
    }
}

/// The sample's image in this registry, looked at by who may ask these.
struct Case {
    server: Server,
    samples: Value,
    /// The blob that is its signature.
    blob: String,
}

impl Case {
    async fn unsigned() -> Self {
        let samples = serde_json::from_str(include_str!("../signatures/samples/samples.json")).unwrap();
        Self { server: Server::start().await, samples, blob: String::new() }
    }

    /// Signed with the key, under a tag.
    async fn signed() -> Self {
        let mut case = Self::unsigned().await;
        let sample = &case.samples["layers"]["by the key"];
        let blob = case.server.blob(sample["payload"].as_str().unwrap().as_bytes());
        let kind = "application/vnd.dev.cosign.simplesigning.v1+json";
        let layers = json!([{ "mediaType": kind, "digest": blob, "annotations": sample["annotations"] }]);
        let path = format!("/v2/team/image/manifests/sha256-{}.sig", case.digest().hex());
        case.server.has(path, json!({ "layers": layers }).to_string().as_bytes());
        case.blob = format!("/v2/team/image/blobs/{blob}");
        case
    }

    fn digest(&self) -> Digest {
        Digest::try_from(self.samples["digest"].as_str().unwrap().to_owned()).unwrap()
    }

    async fn look(&self, others: &[&Server]) -> ImageSignature {
        let hosts = std::iter::once(&self.server).chain(others.iter().copied()).map(|one| one.host.clone()).collect();
        let logins = HashMap::from([(self.server.host.clone(), Secret("bWFyYTpodW50ZXIy".into()))]);
        let client = Client::new(Outbound::new(None, true).unwrap(), hosts, logins);
        let clock = Arc::new(At(self.samples["later"].as_i64().unwrap()));
        let registry = Checked::new(Arc::new(PinnedOnly), client, team(), clock);
        let image: ImageRef = format!("{}/team/image:v1@{}", self.server.host, self.digest()).parse().unwrap();
        registry.signature(&image).await
    }
}

#[track_caller]
fn is_unknown(found: &ImageSignature, why: &str) {
    assert_eq!(found.state, Signature::Unknown, "{found:?}");
    assert!(found.detail.as_ref().is_some_and(|detail| detail.contains(why)), "{found:?}");
}

#[tokio::test]
async fn signatures_are_found_in_both_places() {
    assert_eq!(Case::unsigned().await.look(&[]).await.state, Signature::Missing);
    assert_eq!(Case::signed().await.look(&[]).await.state, Signature::Verified);

    for by_list in [true, false] {
        let case = Case::unsigned().await;
        let bundle = case.samples["bundles"]["by the workflow"].to_string();
        let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let layers = json!([{ "mediaType": kind, "digest": case.server.blob(bundle.as_bytes()) }]);
        let manifest = json!({ "layers": layers }).to_string();
        let digest = Digest::from_bytes(Sha256::digest(&manifest).into());
        case.server.has(format!("/v2/team/image/manifests/{digest}"), manifest.as_bytes());
        let list = json!({ "manifests": [{ "mediaType": "m", "artifactType": kind, "digest": digest }] }).to_string();
        let path = if by_list {
            format!("/v2/team/image/referrers/{}", case.digest())
        } else {
            format!("/v2/team/image/manifests/sha256-{}", case.digest().hex())
        };
        case.server.has(path, list.as_bytes());
        let found = case.look(&[]).await;
        assert_eq!(found.state, Signature::Verified, "{found:?}");
        assert!(found.signer.unwrap().to_string().contains("release.yaml"));
    }
}

#[tokio::test]
async fn what_a_registry_gives_for_a_digest_is_that_or_nothing() {
    let case = Case::signed().await;
    case.server.has(case.blob.clone(), b"something else");
    is_unknown(&case.look(&[]).await, "something else than was asked for");
    case.server.inside.lock().unwrap().answers.insert(case.blob.clone(), (500, Vec::new()));
    is_unknown(&case.look(&[]).await, "answered with 500");
}

#[tokio::test]
async fn a_token_is_fetched_where_the_registry_says_if_that_is_allowed() {
    let case = Case::signed().await;
    let server = &case.server;
    let realm = format!("http://{}/token", server.host);
    server.inside.lock().unwrap().wants = Some(("Bearer a-token".into(), realm));
    is_unknown(&case.look(&[]).await, "no token");
    let path = "/token?service=samples&scope=repository%3Ateam%2Fimage%3Apull";
    server.has(path.into(), br#"{"token":"a-token"}"#);
    assert_eq!(case.look(&[]).await.state, Signature::Verified);
    let asked = server.asked();
    let given = asked.iter().find(|(asked, _)| asked == path).unwrap();
    assert_eq!(given.1.as_deref(), Some("Basic bWFyYTpodW50ZXIy"));

    let stranger = Server::start().await;
    stranger.has(path.into(), br#"{"token":"a-token"}"#);
    let realm = format!("http://{}/token", stranger.host);
    server.inside.lock().unwrap().wants = Some(("Bearer a-token".into(), realm));
    is_unknown(&case.look(&[]).await, "name that among the registries");
    assert!(stranger.asked().is_empty(), "who is not named is not told the password");
    assert_eq!(case.look(&[&stranger]).await.state, Signature::Verified);
}

#[tokio::test]
async fn what_lies_elsewhere_is_fetched_only_from_who_is_named_and_without_the_token() {
    let case = Case::signed().await;
    let elsewhere = Server::start().await;
    let payload = case.samples["layers"]["by the key"]["payload"].as_str().unwrap();
    elsewhere.has("/somewhere?signed=so".into(), payload.as_bytes());
    let to = format!("http://{}/somewhere?signed=so", elsewhere.host);
    case.server.inside.lock().unwrap().elsewhere.insert(case.blob.clone(), to);
    is_unknown(&case.look(&[]).await, "not among those that are asked");
    assert!(elsewhere.asked().is_empty());
    assert_eq!(case.look(&[&elsewhere]).await.state, Signature::Verified);
    assert_eq!(elsewhere.asked(), [("/somewhere?signed=so".to_owned(), None)]);
}
