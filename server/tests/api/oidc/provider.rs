//! A provider of one's own per test: OpenID Connect on loopback, saying what the test wants it to say. Its key is a file beside
//! this one, and signs nothing but tests.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use openidconnect::{
    JsonWebKeyId, PrivateSigningKey,
    core::{CoreHmacKey, CoreJwsSigningAlgorithm, CoreRsaPrivateSigningKey},
};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::net::TcpListener;

const KEY: &str = include_str!("key.pem");
pub const CLIENT: &str = "console";
pub const SECRET: &str = "s3cret +/=";
const ACCESS_TOKEN: &str = "an access token";

/// How ID tokens are signed.
#[derive(Clone, Copy, Debug)]
pub enum Signed {
    /// As they should be.
    WithTheKey,
    /// With what the console knows, too.
    WithTheSecret,
    /// Not at all.
    Not,
    /// Something else was signed.
    Wrongly,
}

/// What the token endpoint does.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    Tokens,
    NoIdToken,
    Refusal,
    Huge,
    Elsewhere,
}

/// What a provider says.
#[derive(Clone, Debug)]
pub struct Said {
    /// Laid over good claims; null takes one away.
    pub claims: Value,
    /// Laid over what it says of itself.
    pub discovery: Value,
    /// The keys that it names.
    pub keys: Vec<&'static str>,
    /// The key that an ID token names.
    pub key: &'static str,
    pub signed: Signed,
    pub answer: Answer,
    /// What came to the token endpoint: the credentials, and the form.
    pub asked: Vec<(String, HashMap<String, String>)>,
}

impl Said {
    fn good() -> Self {
        Self {
            claims: json!({}),
            discovery: json!({}),
            keys: vec!["k1"],
            key: "k1",
            signed: Signed::WithTheKey,
            answer: Answer::Tokens,
            asked: Vec::new(),
        }
    }
}

#[derive(Clone)]
pub struct Provider {
    pub url: String,
    said: Arc<Mutex<Said>>,
}

impl Provider {
    pub async fn start() -> Self {
        Self::at("127.0.0.1:0").await
    }

    pub async fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let provider = Self { url, said: Arc::new(Mutex::new(Said::good())) };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().expect("no test has failed with it")
    }

    /// Good again, but for what was asked.
    pub fn mended(&self) {
        *self.said() = Said::good();
    }
}

/// What fits to the access token, as at_hash.
pub fn at_hash() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(ACCESS_TOKEN)[..16])
}

fn laid_over(mut good: Map<String, Value>, changes: &Value) -> Map<String, Value> {
    for (name, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            good.remove(name);
        } else {
            good.insert(name.clone(), value.clone());
        }
    }
    good
}

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).expect("an object")
}

async fn discovery(State(provider): State<Provider>) -> Json<Map<String, Value>> {
    let url = &provider.url;
    let good = json!({
        "issuer": url, "authorization_endpoint": format!("{url}/auth?tenant=x"), "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    Json(laid_over(object(good), &provider.said().discovery))
}

fn signing_key(id: &str) -> CoreRsaPrivateSigningKey {
    CoreRsaPrivateSigningKey::from_pem(KEY, Some(JsonWebKeyId::new(id.to_owned()))).expect("a key")
}

async fn keys(State(provider): State<Provider>) -> Json<Value> {
    let named = provider.said().keys.clone();
    let keys: Vec<_> = named.into_iter().map(|id| signing_key(id).as_verification_key()).collect();
    Json(json!({ "keys": keys }))
}

async fn token(State(provider): State<Provider>, headers: HeaderMap, form: String) -> Response {
    let credentials = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let pairs = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    provider.said().asked.push((credentials, pairs));
    let said = provider.said().clone();
    let good = json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300 });
    match said.answer {
        Answer::Tokens => {
            let mut tokens = object(good);
            tokens.insert("id_token".into(), id_token(&provider.url, &said).into());
            Json(tokens).into_response()
        }
        Answer::NoIdToken => Json(good).into_response(),
        Answer::Refusal => (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response(),
        Answer::Huge => Json(json!({ "access_token": "x".repeat(2 << 20), "token_type": "Bearer" })).into_response(),
        Answer::Elsewhere => Redirect::temporary("/token").into_response(),
    }
}

fn id_token(url: &str, said: &Said) -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let good = json!({
        "iss": url, "aud": CLIENT, "sub": "42", "iat": now, "exp": now + 300, "preferred_username": "mara",
        "groups": ["oncall", "everyone"],
    });
    let claims = laid_over(object(good), &said.claims);
    let algorithm = match said.signed {
        Signed::WithTheSecret => "HS256",
        Signed::Not => "none",
        Signed::WithTheKey | Signed::Wrongly => "RS256",
    };
    let head = json!({ "alg": algorithm, "kid": said.key, "typ": "JWT" });
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&head), part(&Value::Object(claims)));
    let rsa = CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256;
    let signature = match said.signed {
        Signed::WithTheKey => signing_key(said.key).sign(&rsa, text.as_bytes()).expect("a signature"),
        Signed::Wrongly => signing_key(said.key).sign(&rsa, b"something else").expect("a signature"),
        Signed::WithTheSecret => {
            CoreHmacKey::new(SECRET).sign(&CoreJwsSigningAlgorithm::HmacSha256, text.as_bytes()).expect("a signature")
        }
        Signed::Not => Vec::new(),
    };
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}
