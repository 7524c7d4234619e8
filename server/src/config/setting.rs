//! What a setting is: a flag, an environment variable and a key of the file at once. Each subject lists its own, and nothing else does.

use super::{assess, audit, embeddings, general, holmes, notify, oidc, signals, signatures};

/// A setting.
#[derive(Debug)]
pub struct Setting {
    /// The flag without its dashes, which is the file's key.
    pub name: &'static str,
    flag: Option<Flag>,
}

/// How `--help` has it.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// What it takes.
    pub value: &'static str,
    /// What it is for, its environment variable, and what is usual.
    pub help: &'static str,
    /// Whether it may be given several times.
    pub repeats: bool,
}

impl Setting {
    /// One that is given once.
    pub(super) const fn flag(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { name, flag: Some(Flag { value, help, repeats: false }) }
    }

    /// A list: a flag each, a line each in the file, semicolons between them in the environment.
    pub(super) const fn many(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { name, flag: Some(Flag { value, help, repeats: true }) }
    }

    /// One that is no flag: what stands on a command line is seen by everybody on the machine.
    pub(super) const fn secret(name: &'static str) -> Self {
        Self { name, flag: None }
    }

    /// Its flag; a secret has none.
    pub const fn as_flag(&self) -> Option<Flag> {
        self.flag
    }

    /// Whether it is no flag.
    pub const fn is_secret(&self) -> bool {
        self.flag.is_none()
    }

    /// Its environment variable: `KUBERNAUT_` and its name.
    pub fn variable(&self) -> String {
        format!("KUBERNAUT_{}", self.name.replace('-', "_").to_uppercase())
    }

    /// What the environment says, as the file would say it.
    pub(super) fn in_the_environment(&self, text: String) -> String {
        if self.flag.is_some_and(|flag| flag.repeats) { text.replace(';', "\n") } else { text }
    }
}

/// All settings, as `--help` lists them.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    let all = [
        general::SETTINGS,
        audit::SETTINGS,
        signals::SETTINGS,
        signatures::SETTINGS,
        assess::SETTINGS,
        holmes::SETTINGS,
        oidc::SETTINGS,
        notify::SETTINGS,
        embeddings::SETTINGS,
    ];
    all.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_named_once_and_its_help_names_its_variable() {
        let mut names: Vec<_> = settings().map(|setting| setting.name).collect();
        let many = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), many);
        for setting in settings() {
            if let Some(flag) = setting.as_flag() {
                assert!(flag.help.contains(&setting.variable()), "{}: {}", setting.name, flag.help);
            }
        }
    }
}
