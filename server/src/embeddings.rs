//! The model of embeddings that is configured: an endpoint as OpenAI has it (`POST /v1/embeddings`), or a directory that this process
//! runs itself. What is sent outside is what a model may see of playbooks, and the words that somebody searches for.

use crate::{
    config::EmbeddingsConfig,
    outbound::{Outbound, OutboundError},
    terminal::Fault,
};
use async_trait::async_trait;
use axum::http::{Method, Request, StatusCode, header};
use domain::{accounts::Secret, ports::VectorStore};
use meaning::{EmbedError, Embedder, Keeper};
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};

/// Keeps the vectors of the catalog by the configured model; none where none is.
pub fn keeper(config: Option<&EmbeddingsConfig>, store: Arc<dyn VectorStore>) -> Result<Option<Keeper>, Fault> {
    let embedder = config.map(embedder).transpose()?;
    Ok(embedder.map(|embedder| Keeper::new(embedder, store)))
}

fn embedder(config: &EmbeddingsConfig) -> Result<Arc<dyn Embedder>, Fault> {
    match config {
        EmbeddingsConfig::Endpoint { url, model, key_file, allow_private } => {
            Ok(Arc::new(endpoint(url, model, key_file.as_deref(), *allow_private)?))
        }
        EmbeddingsConfig::Directory(directory) => local(directory),
    }
}

/// Whether the model gives vectors; otherwise why not.
pub async fn answers(config: &EmbeddingsConfig) -> Result<(), String> {
    let embedder = embedder(config).map_err(|fault| fault.message)?;
    embedder.embed(&["does it answer".to_owned()]).await.map(drop).map_err(|error| error.to_string())
}

#[cfg(feature = "local-embeddings")]
fn local(directory: &Path) -> Result<Arc<dyn Embedder>, Fault> {
    let model = meaning::Local::open(directory).map_err(|error| {
        Fault::wrong_setting(format!("--embeddings-dir {} can't be used: {error}", directory.display()))
    })?;
    Ok(Arc::new(model))
}

#[cfg(not(feature = "local-embeddings"))]
fn local(directory: &Path) -> Result<Arc<dyn Embedder>, Fault> {
    Err(Fault::wrong_setting(format!(
        "--embeddings-dir {} can't be used: this program was built without local-embeddings; build it with `cargo build --release \
         --features local-embeddings`, or name an endpoint with --embeddings-url",
        directory.display()
    )))
}

/// A model behind an endpoint.
struct Endpoint {
    /// Names the model here: the same name elsewhere may be another model.
    model: String,
    url: String,
    /// What the endpoint calls it.
    called: String,
    key: Option<Secret>,
    outbound: Outbound,
}

fn endpoint(url: &str, model: &str, key_file: Option<&Path>, allow_private: bool) -> Result<Endpoint, Fault> {
    let key = key_file.map(|file| {
        let read = std::fs::read_to_string(file);
        let read = read
            .map_err(|e| Fault::wrong_setting(format!("--embeddings-key-file {} can't be read: {e}", file.display())));
        read.map(|key| Secret(key.trim().to_owned()))
    });
    let outbound = Outbound::new(None, allow_private).map_err(|error| Fault::failed(error.to_string()))?;
    let called = model.to_owned();
    Ok(Endpoint { model: format!("{model} at {url}"), url: url.to_owned(), called, key: key.transpose()?, outbound })
}

#[async_trait]
impl Embedder for Endpoint {
    fn model(&self) -> &str {
        &self.model
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let body = json!({ "model": self.called, "input": texts, "encoding_format": "float" }).to_string();
        let mut request =
            Request::builder().method(Method::POST).uri(&self.url).header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", key.0));
        }
        let request = request.body(body.into_bytes());
        let request = request.map_err(|_| EmbedError("--embeddings-url is no address, or its key no header".into()))?;
        let told = |error: OutboundError| EmbedError(error.to_string());
        let answer = self.outbound.send(request).await.map_err(told)?;
        if answer.status() != StatusCode::OK {
            return Err(EmbedError(format!("the model's endpoint answered with {}", answer.status())));
        }
        let answer: Value = serde_json::from_slice(answer.body())
            .map_err(|_| EmbedError("the model's endpoint answered with something that is no JSON".into()))?;
        vectors(&answer, texts.len())
            .ok_or_else(|| EmbedError("the model's endpoint answered without a vector for each text".into()))
    }
}

/// The vectors of an answer, each at the place that its `index` names.
fn vectors(answer: &Value, wanted: usize) -> Option<Vec<Vec<f32>>> {
    let mut found = vec![Vec::new(); wanted];
    for (place, item) in answer["data"].as_array()?.iter().enumerate() {
        let index = item["index"].as_u64().map_or(Some(place), |index| usize::try_from(index).ok())?;
        *found.get_mut(index)? = item["embedding"].as_array()?.iter().map(number).collect::<Option<_>>()?;
    }
    found.iter().all(|vector| !vector.is_empty()).then_some(found)
}

#[expect(clippy::cast_possible_truncation, reason = "vectors are compared as 32-bit floats")]
fn number(value: &Value) -> Option<f32> {
    value.as_f64().map(|number| number as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    #[test]
    fn an_answer_has_a_vector_for_each_text_in_any_order() {
        let answer = json!({ "data": [{ "index": 1, "embedding": [0.5, 1] }, { "index": 0, "embedding": [-1.0, 0] }] });
        assert_eq!(vectors(&answer, 2), Some(vec![vec![-1.0, 0.0], vec![0.5, 1.0]]));
        for (bad, wanted) in [
            (json!({ "data": [{ "index": 0, "embedding": [1] }] }), 2),
            (json!({ "data": [{ "index": 7, "embedding": [1] }] }), 1),
            (json!({ "data": [{ "index": 0, "embedding": ["1"] }] }), 1),
            (json!({ "error": "no" }), 1),
        ] {
            assert_eq!(vectors(&bad, wanted), None, "{bad}");
        }
    }

    /// A server on this machine that answers one call so, and what it was sent.
    async fn server(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/embeddings", listener.local_addr().unwrap());
        let heard = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut sent = String::new();
            let mut some = [0; 4096];
            while !sent.contains("\"input\"") {
                let read = socket.read(&mut some).await.unwrap();
                sent.push_str(&String::from_utf8_lossy(&some[..read]));
            }
            socket.write_all(answer.as_bytes()).await.unwrap();
            sent
        });
        (url, heard)
    }

    #[tokio::test]
    async fn an_endpoint_is_asked_as_openai_is_and_its_key_stays_out_of_what_is_told() {
        let data = tempfile::tempdir().unwrap();
        let key = data.path().join("key");
        std::fs::write(&key, "sk-canary\n").unwrap();
        let body = r#"{"data":[{"index":0,"embedding":[1.0,0.0]}]}"#;
        let good = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (url, heard) = server(good.leak()).await;
        let model = endpoint(&url, "small", Some(&key), true).unwrap();
        assert_eq!(model.embed(&["why".to_owned()]).await.unwrap(), [[1.0, 0.0]]);
        let sent = heard.await.unwrap();
        assert!(sent.starts_with("POST /v1/embeddings ") && sent.contains("authorization: Bearer sk-canary"), "{sent}");
        assert!(sent.contains("\"model\":\"small\"") && sent.contains("\"input\":[\"why\"]"), "{sent}");

        let (url, _heard) = server("HTTP/1.1 401 Unauthorized\r\ncontent-length: 9\r\n\r\nsk-canary").await;
        let told = endpoint(&url, "small", Some(&key), true).unwrap().embed(&["why".to_owned()]).await.unwrap_err();
        assert!(told.0.contains("401") && !told.0.contains("canary"), "{told}");
        let inside = endpoint(&url, "small", None, false).unwrap().embed(&["why".to_owned()]).await.unwrap_err();
        assert!(inside.0.contains("private ones are not allowed"), "{inside}");
    }

    #[cfg(not(feature = "local-embeddings"))]
    #[test]
    fn a_program_that_was_built_without_it_says_so() {
        let Err(fault) = local(Path::new("/m")) else { panic!("refused") };
        assert!(fault.message.contains("local-embeddings") && fault.message.contains("--embeddings-url"));
    }
}
