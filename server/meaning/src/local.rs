//! A sentence-transformers directory, run in this process: a BERT encoder, pooled as the directory says. It knows candle and the
//! tokenizer, and where the files lie.

use crate::{EmbedError, Embedder};
use async_trait::async_trait;
use candle_core::{Device, IndexOp as _, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config, DTYPE};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{fmt::Display, path::Path, sync::Arc};
use tokenizers::{Tokenizer, TruncationParams};

/// Pieces of words that are read of a text where the directory does not say.
const LONGEST: usize = 256;

/// The model.
pub struct Local {
    name: String,
    parts: Arc<Parts>,
}

struct Parts {
    bert: BertModel,
    tokenizer: Tokenizer,
    /// Whether the first piece's state stands for the text; else the mean of all.
    first: bool,
}

impl Local {
    /// Reads `config.json`, `tokenizer.json`, `model.safetensors` and, where they are there, `sentence_bert_config.json` and
    /// `1_Pooling/config.json`. Reads the weights whole: some hundred megabytes.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn open(directory: &Path) -> Result<Self, EmbedError> {
        let config: Config =
            serde_json::from_slice(&read(directory, "config.json")?).map_err(in_file("config.json"))?;
        let weights = read(directory, "model.safetensors")?;
        let name = format!("local:{}", hex::encode(&Sha256::digest(&weights)[..8]));
        let variables = VarBuilder::from_buffered_safetensors(weights, DTYPE, &Device::Cpu);
        let bert = variables.and_then(|variables| BertModel::load(variables, &config));
        let bert = bert.map_err(in_file("model.safetensors"))?;
        let mut tokenizer =
            Tokenizer::from_bytes(read(directory, "tokenizer.json")?).map_err(in_file("tokenizer.json"))?;
        let longest = optional(directory, "sentence_bert_config.json")["max_seq_length"].as_u64();
        let longest = longest.and_then(|longest| usize::try_from(longest).ok()).unwrap_or(LONGEST);
        let truncation =
            TruncationParams { max_length: longest.min(config.max_position_embeddings), ..TruncationParams::default() };
        tokenizer.with_padding(None);
        tokenizer.with_truncation(Some(truncation)).map_err(in_file("tokenizer.json"))?;
        let first = optional(directory, "1_Pooling/config.json")["pooling_mode_cls_token"] == true;
        Ok(Self { name, parts: Arc::new(Parts { bert, tokenizer, first }) })
    }
}

#[async_trait]
impl Embedder for Local {
    fn model(&self) -> &str {
        &self.name
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let (parts, texts) = (Arc::clone(&self.parts), texts.to_vec());
        let work = move || texts.iter().map(|text| parts.vector(text)).collect();
        tokio::task::spawn_blocking(work).await.map_err(|ended| EmbedError(ended.to_string()))?
    }
}

impl Parts {
    /// One text at a time: nothing is padded, so nothing has to be masked.
    fn vector(&self, text: &str) -> Result<Vec<f32>, EmbedError> {
        let pieces = self.tokenizer.encode(text, true).map_err(|error| EmbedError(error.to_string()))?;
        let run = || -> candle_core::Result<Vec<f32>> {
            let ids = Tensor::new(pieces.get_ids(), &Device::Cpu)?.unsqueeze(0)?;
            let kinds = ids.zeros_like()?;
            let states = self.bert.forward(&ids, &kinds, None)?;
            let pooled = if self.first { states.i((0, 0))? } else { states.mean(1)?.i(0)? };
            pooled.to_vec1::<f32>()
        };
        run().map_err(|error| EmbedError(error.to_string()))
    }
}

fn read(directory: &Path, file: &str) -> Result<Vec<u8>, EmbedError> {
    let path = directory.join(file);
    std::fs::read(&path).map_err(|error| EmbedError(format!("{} can't be read: {error}", path.display())))
}

/// A file of JSON that may be missing.
fn optional(directory: &Path, file: &str) -> Value {
    let read = std::fs::read(directory.join(file)).ok();
    read.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn in_file<E: Display>(file: &'static str) -> impl Fn(E) -> EmbedError {
    move |error| EmbedError(format!("{file} is not what it should be: {error}"))
}
