//! Reading from a registry (OCI distribution 1.1): manifests, blobs, what refers to an image. Only registries that the settings name are
//! asked, and nobody else that those name: neither for a token nor for a blob that lies elsewhere. What comes by digest is what the digest says.

use crate::outbound::Outbound;
use axum::http::{self, HeaderMap, Request, Response, StatusCode, Uri, header};
use domain::{accounts::Secret, ids::Digest};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

/// What a manifest may be.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                         application/vnd.docker.distribution.manifest.v2+json";
/// There is nothing.
const ABSENT: &[StatusCode] = &[StatusCode::NOT_FOUND];
/// A registry from before OCI 1.1 does not know the question.
const NO_SUCH_LIST: &[StatusCode] =
    &[StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST, StatusCode::METHOD_NOT_ALLOWED, StatusCode::NOT_ACCEPTABLE];
/// Where Docker Hub answers, and where it gives tokens.
const DOCKER_HUB: (&str, &str, &str) = ("docker.io", "registry-1.docker.io", "auth.docker.io");

/// A manifest, as far as signatures need it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// What an image is made of.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// What an index lists.
    #[serde(default)]
    pub manifests: Vec<Descriptor>,
}

/// Something that lies in a registry.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    #[serde(default)]
    pub media_type: String,
    /// What a manifest is for.
    #[serde(default)]
    pub artifact_type: Option<String>,
    /// Where it lies.
    pub digest: Digest,
    /// What is said of it.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// Asks registries. What went wrong is a sentence without its stop, with the registry's name and no address.
pub struct Client {
    http: Outbound,
    hosts: Vec<String>,
    logins: HashMap<String, Secret>,
}

/// A repository at a registry, while one is read.
pub struct Repository<'c> {
    client: &'c Client,
    host: &'c str,
    name: &'c str,
    token: Option<String>,
}

impl Client {
    /// Of these registries only; `logins` are what a registry is told by `Basic`, by its name.
    pub fn new(http: Outbound, hosts: Vec<String>, logins: HashMap<String, Secret>) -> Self {
        Self { http, hosts, logins }
    }

    /// The repository of that name, `registry/path`.
    pub fn repository<'c>(&'c self, name: &'c str) -> Result<Repository<'c>, String> {
        let (host, name) = name.split_once('/').ok_or_else(|| "the image names no registry".to_owned())?;
        if !self.asks(host) {
            return Err(format!("{host} is not among the registries that are asked"));
        }
        Ok(Repository { client: self, host, name, token: None })
    }

    /// Whether this registry answers; otherwise why not. That it first wants a token is an answer.
    pub async fn answers(&self, host: &str) -> Result<(), String> {
        let whole = Repository { client: self, host, name: "", token: None };
        let address = format!("{}/v2/", whole.base());
        let answer = self.once(&address, "application/json", whole.basic().as_deref()).await?;
        match answer.status() {
            StatusCode::OK | StatusCode::UNAUTHORIZED => Ok(()),
            status => Err(format!("{host} answered with {}", status.as_u16())),
        }
    }

    fn asks(&self, host: &str) -> bool {
        self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
    }

    /// One call. Where a registry says that something lies elsewhere that is followed once, to a host that is asked anyway.
    async fn call(
        &self,
        address: &str,
        accept: &str,
        authorization: Option<&str>,
    ) -> Result<Response<Vec<u8>>, String> {
        let answer = self.once(address, accept, authorization).await?;
        if !answer.status().is_redirection() {
            return Ok(answer);
        }
        let to = said(answer.headers(), header::LOCATION).and_then(|to| to.parse::<Uri>().ok());
        let to = to.filter(|to| to.authority().is_some_and(|authority| self.asks(authority.as_str())));
        let to =
            to.ok_or_else(|| "what is asked for lies at a host that is not among those that are asked".to_owned())?;
        // A token is for who gave it.
        self.once(&to.to_string(), accept, None).await
    }

    async fn once(
        &self,
        address: &str,
        accept: &str,
        authorization: Option<&str>,
    ) -> Result<Response<Vec<u8>>, String> {
        let mut request = Request::get(address).header(header::ACCEPT, accept);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Vec::new()).map_err(|_| "the registry's address can't be used".to_owned())?;
        self.http.answer(request).await.map_err(|error| error.to_string())
    }
}

impl Repository<'_> {
    /// The manifest of that tag; none where there is none.
    pub async fn tagged(&mut self, tag: &str) -> Result<Option<Manifest>, String> {
        let answer = self.get(&format!("manifests/{tag}"), MANIFESTS, ABSENT).await?;
        answer.map(|bytes| self.manifest(&bytes)).transpose()
    }

    /// The manifest of that digest.
    pub async fn pinned(&mut self, digest: &Digest) -> Result<Option<Manifest>, String> {
        let answer = self.get(&format!("manifests/{digest}"), MANIFESTS, ABSENT).await?;
        answer.map(|bytes| self.manifest(&self.checked(bytes, digest)?)).transpose()
    }

    /// The bytes of that digest.
    pub async fn blob(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, String> {
        let answer = self.get(&format!("blobs/{digest}"), "*/*", ABSENT).await?;
        answer.map(|bytes| self.checked(bytes, digest)).transpose()
    }

    /// What refers to an image: by the registry's own list, or by the list under a tag where it has none.
    pub async fn referrers(&mut self, image: &Digest) -> Result<Vec<Descriptor>, String> {
        let list = self.get(&format!("referrers/{image}"), MANIFESTS, NO_SUCH_LIST).await?;
        let list = match list {
            Some(bytes) => Some(self.manifest(&bytes)?),
            None => self.tagged(&format!("sha256-{}", image.hex())).await?,
        };
        Ok(list.unwrap_or_default().manifests)
    }

    /// The body of an answer; none where the status is one of these.
    async fn get(&mut self, path: &str, accept: &str, absent: &[StatusCode]) -> Result<Option<Vec<u8>>, String> {
        let address = format!("{}/v2/{}/{path}", self.base(), self.name);
        let with = self.token.clone().or_else(|| self.basic());
        let mut answer = self.client.call(&address, accept, with.as_deref()).await?;
        if answer.status() == StatusCode::UNAUTHORIZED
            && let Some(asked) = said(answer.headers(), header::WWW_AUTHENTICATE).and_then(Challenge::read)
        {
            let token = self.ask_for_token(&asked).await?;
            answer = self.client.call(&address, accept, Some(&token)).await?;
            self.token = Some(token);
        }
        match answer.status() {
            StatusCode::OK => Ok(Some(answer.into_body())),
            status if absent.contains(&status) => Ok(None),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(format!("{} does not let the console read {}", self.host, self.name))
            }
            status => Err(format!("{} answered with {}", self.host, status.as_u16())),
        }
    }

    /// A token to read this repository with, as the registry says where to get one.
    async fn ask_for_token(&self, asked: &Challenge) -> Result<String, String> {
        #[derive(Deserialize)]
        struct Given {
            token: Option<String>,
            access_token: Option<String>,
        }
        let realm: Uri = asked.realm.parse().map_err(|_| format!("{} gives tokens at no address", self.host))?;
        let at = realm.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        let own = at == self.host || (self.host == DOCKER_HUB.0 && at == DOCKER_HUB.2);
        if !own && !self.client.asks(at) {
            return Err(format!("{} gives tokens at {at}: name that among the registries, too", self.host));
        }
        let scope = format!("repository:{}:pull", self.name);
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(asked.service.iter().map(|service| ("service", service.as_str())))
            .append_pair("scope", &scope)
            .finish();
        let sign = if asked.realm.contains('?') { '&' } else { '?' };
        let address = format!("{}{sign}{query}", asked.realm);
        let answer = self.client.once(&address, "application/json", self.basic().as_deref()).await?;
        let refused = || format!("{} gives the console no token for {}", self.host, self.name);
        if answer.status() != StatusCode::OK {
            return Err(refused());
        }
        let given: Given = serde_json::from_slice(answer.body()).map_err(|_| refused())?;
        let token = given.token.or(given.access_token).ok_or_else(refused)?;
        Ok(format!("Bearer {token}"))
    }

    fn basic(&self) -> Option<String> {
        self.client.logins.get(self.host).map(|Secret(login)| format!("Basic {login}"))
    }

    /// Unencrypted on this machine alone, as `outbound` has it.
    fn base(&self) -> String {
        let host = if self.host == DOCKER_HUB.0 { DOCKER_HUB.1 } else { self.host };
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let here = name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        format!("{}://{host}", if here { "http" } else { "https" })
    }

    fn manifest(&self, bytes: &[u8]) -> Result<Manifest, String> {
        serde_json::from_slice(bytes).map_err(|_| format!("{} answered with what is no manifest", self.host))
    }

    fn checked(&self, bytes: Vec<u8>, digest: &Digest) -> Result<Vec<u8>, String> {
        if Digest::from_bytes(Sha256::digest(&bytes).into()) == *digest {
            Ok(bytes)
        } else {
            Err(format!("{} answered with something else than was asked for", self.host))
        }
    }
}

/// Where to get a token (RFC 6750, and the distribution's own parameters).
#[derive(Debug, PartialEq, Eq)]
struct Challenge {
    realm: String,
    service: Option<String>,
}

impl Challenge {
    fn read(text: &str) -> Option<Self> {
        let (scheme, parameters) = text.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let of = |name: &str| {
            let (_, rest) = parameters.split_once(&format!("{name}=\""))?;
            rest.split_once('"').map(|(value, _)| value.to_owned())
        };
        Some(Self { realm: of("realm")?, service: of("service") })
    }
}

fn said(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_tokens_are_given_is_read() {
        let whole =
            r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull""#;
        let asked = Challenge::read(whole).unwrap();
        assert_eq!(
            asked,
            Challenge { realm: "https://auth.example/token".into(), service: Some("registry.example".into()) }
        );
        assert_eq!(Challenge::read("Basic realm=\"x\""), None);
        assert_eq!(Challenge::read("Bearer service=\"x\""), None);
    }

    fn client(hosts: &[&str]) -> Client {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        Client::new(Outbound::new(None, true).unwrap(), hosts, HashMap::new())
    }

    #[test]
    fn only_registries_that_are_named_are_asked_and_plainly_on_this_machine_alone() {
        let client = client(&["quay.io", "docker.io", "127.0.0.1:5000", "localhost:1"]);
        for (name, base) in [
            ("quay.io/a/b", "https://quay.io"),
            ("docker.io/library/busybox", "https://registry-1.docker.io"),
            ("127.0.0.1:5000/a", "http://127.0.0.1:5000"),
            ("localhost:1/a", "http://localhost:1"),
        ] {
            assert_eq!(client.repository(name).map(|repository| repository.base()), Ok(base.to_owned()));
        }
        for name in ["quay.io:443/a", "evil.example/a", "xquay.io/a", "quay.io.evil.example/a"] {
            let refused = client.repository(name).map(|repository| repository.base()).unwrap_err();
            assert!(refused.contains("not among the registries"), "{refused}");
        }
    }
}
