//! The flags of the model of embeddings.

use clap::Args;

// The key is no flag: it lies in a file.
#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "they are what the flags are called")]
pub struct EmbeddingsSettings {
    /// An endpoint as OpenAI has it, by which the catalog is searched for meaning: https://host/v1/embeddings [KUBERNAUT_EMBEDDINGS_URL]
    #[arg(long, global = true, value_name = "URL")]
    embeddings_url: Option<String>,
    /// The model's name there [KUBERNAUT_EMBEDDINGS_MODEL]
    #[arg(long, global = true, value_name = "NAME")]
    embeddings_model: Option<String>,
    /// The file with its key, where it asks for one [KUBERNAUT_EMBEDDINGS_KEY_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    embeddings_key_file: Option<String>,
    /// on, or off: its host may have a private address [KUBERNAUT_EMBEDDINGS_ALLOW_PRIVATE] [default: off]
    #[arg(long, global = true, value_name = "SWITCH")]
    embeddings_allow_private: Option<String>,
    /// Instead of an endpoint: a sentence-transformers directory, run by this process [KUBERNAUT_EMBEDDINGS_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    embeddings_dir: Option<String>,
}

impl EmbeddingsSettings {
    /// What was given, by the settings' names.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, String)> {
        let given = [
            ("embeddings-url", self.embeddings_url.clone()),
            ("embeddings-model", self.embeddings_model.clone()),
            ("embeddings-key-file", self.embeddings_key_file.clone()),
            ("embeddings-allow-private", self.embeddings_allow_private.clone()),
            ("embeddings-dir", self.embeddings_dir.clone()),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}
