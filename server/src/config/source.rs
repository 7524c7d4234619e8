//! What is said where: defaults < file < environment < flags.

use super::{file, settings};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Where a setting came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// The configuration file.
    File,
    /// An environment variable.
    Environment,
    /// A flag.
    Flag,
}

impl Source {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
            Self::Flag => "flag",
        }
    }
}

/// A setting that can't be used. The message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("the configuration file {} can't be used: {detail}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// A value has the wrong form.
    #[error("{name} (from {from}) is \"{value}\": {advice}")]
    Value {
        /// Which setting.
        name: &'static str,
        /// Where it came from.
        from: &'static str,
        /// What it was.
        value: String,
        /// What it should be.
        advice: String,
    },
    /// Settings that don't go together.
    #[error("{0}")]
    Together(&'static str),
}

/// What one source says: name and text.
pub type Given = BTreeMap<&'static str, String>;

/// What is said, and who said it.
type Gathered = (Given, BTreeMap<&'static str, Source>);

/// Puts the sources together. `env` reads an environment variable.
pub(super) fn gather(
    flags: &Given,
    path: Option<&Path>,
    env: &impl Fn(&str) -> Option<String>,
) -> Result<Gathered, ConfigError> {
    let from_file = path.map(file::read).transpose()?.unwrap_or_default();
    let (mut texts, mut sources) = Gathered::default();
    for setting in settings() {
        let name = setting.name;
        let flag = flags.get(name).cloned().filter(|_| !setting.is_secret());
        let variable = || env(&setting.variable()).filter(|text| !text.is_empty());
        let found = flag
            .map(|text| (text, Source::Flag))
            .or_else(|| variable().map(|text| (setting.in_the_environment(text), Source::Environment)))
            .or_else(|| from_file.get(name).cloned().map(|text| (text, Source::File)));
        if let Some((text, source)) = found {
            texts.insert(name, text);
            sources.insert(name, source);
        }
    }
    Ok((texts, sources))
}

/// The texts, by the settings' names; what can't be read is refused with where it came from.
pub(super) struct Reader<'a> {
    pub(super) texts: &'a Given,
    pub(super) sources: &'a BTreeMap<&'static str, Source>,
}

impl Reader<'_> {
    pub(super) fn get<T>(
        &self,
        name: &'static str,
        default: &str,
        parse: impl Fn(&str) -> Option<T>,
        advice: &str,
    ) -> Result<T, ConfigError> {
        let text = self.texts.get(name).map_or(default, String::as_str);
        parse(text).ok_or_else(|| self.wrong(name, text, advice.to_owned()))
    }

    pub(super) fn wrong(&self, name: &'static str, value: &str, advice: String) -> ConfigError {
        let from = self.sources.get(name).copied().unwrap_or(Source::Default).name();
        ConfigError::Value { name, from, value: value.to_owned(), advice }
    }
}
