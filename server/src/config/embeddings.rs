//! The settings of the model of embeddings, by which the catalog is searched for meaning.

use super::{ConfigError, Reader, Setting};
use std::path::PathBuf;

/// All of them.
pub(super) const SETTINGS: &[Setting] = &[
    Setting::flag(
        "embeddings-url",
        "URL",
        "An endpoint as OpenAI has it, by which the catalog is searched for meaning: https://host/v1/embeddings \
         [KUBERNAUT_EMBEDDINGS_URL]",
    ),
    Setting::flag("embeddings-model", "NAME", "The model's name there [KUBERNAUT_EMBEDDINGS_MODEL]"),
    Setting::flag(
        "embeddings-key-file",
        "FILE",
        "The file with its key, where it asks for one [KUBERNAUT_EMBEDDINGS_KEY_FILE]",
    ),
    Setting::flag(
        "embeddings-allow-private",
        "SWITCH",
        "on, or off: its host may have a private address [KUBERNAUT_EMBEDDINGS_ALLOW_PRIVATE] [default: off]",
    ),
    Setting::flag(
        "embeddings-dir",
        "DIR",
        "Instead of an endpoint: a sentence-transformers directory, run by this process [KUBERNAUT_EMBEDDINGS_DIR]",
    ),
];

/// Where the model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmbeddingsConfig {
    /// Behind an endpoint as OpenAI has it.
    Endpoint {
        /// The whole address, such as `https://host/v1/embeddings`.
        url: String,
        /// The model's name there.
        model: String,
        /// The file with the key; none where it asks for none.
        key_file: Option<PathBuf>,
        /// Whether its host may have a private address.
        allow_private: bool,
    },
    /// In this process, from a sentence-transformers directory.
    Directory(PathBuf),
}

/// What is set; none where nothing is.
pub(super) fn read(reader: &Reader<'_>) -> Result<Option<EmbeddingsConfig>, ConfigError> {
    let text = |name: &str| reader.texts.get(name).cloned();
    match (text("embeddings-url"), text("embeddings-dir")) {
        (Some(_), Some(_)) => Err(ConfigError::Together(
            "one model knows the meanings: give --embeddings-url or --embeddings-dir, not both",
        )),
        (Some(url), None) => {
            let Some(model) = text("embeddings-model") else {
                return Err(ConfigError::Together(
                    "--embeddings-url needs the model's name there: add --embeddings-model",
                ));
            };
            let allow_private = reader.get("embeddings-allow-private", "off", super::on_or_off, "write on or off")?;
            Ok(Some(EmbeddingsConfig::Endpoint {
                url,
                model,
                key_file: text("embeddings-key-file").map(PathBuf::from),
                allow_private,
            }))
        }
        (None, directory) => {
            if SETTINGS[1..4].iter().any(|setting| reader.texts.contains_key(setting.name)) {
                return Err(ConfigError::Together(
                    "--embeddings-model, --embeddings-key-file and --embeddings-allow-private are of an endpoint: add --embeddings-url",
                ));
            }
            Ok(directory.map(|directory| EmbeddingsConfig::Directory(directory.into())))
        }
    }
}

/// For `config show`. The key stays in its file.
pub(super) fn shown(config: Option<&EmbeddingsConfig>) -> Vec<(&'static str, String)> {
    let unset = || "(not set)".to_owned();
    let mut values = [unset(), unset(), unset(), unset(), unset()];
    match config {
        Some(EmbeddingsConfig::Endpoint { url, model, key_file, allow_private }) => {
            values[0].clone_from(url);
            values[1].clone_from(model);
            values[2] = key_file.as_ref().map_or_else(unset, |file| file.display().to_string());
            if *allow_private { "on" } else { "off" }.clone_into(&mut values[3]);
        }
        Some(EmbeddingsConfig::Directory(directory)) => values[4] = directory.display().to_string(),
        None => {}
    }
    SETTINGS.iter().map(|setting| setting.name).zip(values).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn load(given: &[(&'static str, &str)]) -> Result<Option<EmbeddingsConfig>, String> {
        let flags = given.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Config::load(&flags, None, |_| None).map(|config| config.embeddings).map_err(|error| error.to_string())
    }

    #[test]
    fn there_is_one_model_or_none() {
        assert_eq!(load(&[]), Ok(None));
        let url = ("embeddings-url", "https://models.example/v1/embeddings");
        let Ok(Some(EmbeddingsConfig::Endpoint { model, allow_private, .. })) = load(&[url, ("embeddings-model", "m")])
        else {
            panic!("an endpoint")
        };
        assert_eq!((model.as_str(), allow_private), ("m", false));
        assert_eq!(load(&[("embeddings-dir", "/m")]), Ok(Some(EmbeddingsConfig::Directory("/m".into()))));
        for (wrong, words) in [
            (&[url][..], "add --embeddings-model"),
            (&[url, ("embeddings-dir", "/m")][..], "not both"),
            (&[("embeddings-key-file", "/k")][..], "add --embeddings-url"),
            (&[url, ("embeddings-model", "m"), ("embeddings-allow-private", "maybe")][..], "write on or off"),
        ] {
            let told = load(wrong).unwrap_err();
            assert!(told.contains(words), "{told}");
        }
    }
}
