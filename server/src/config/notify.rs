//! The settings of notifications: how, and a file that names the receivers. Their secrets stand in files of their own or in the
//! environment; an address may be a secret, too, so that only its host is ever shown.

use super::{Config, ConfigError, Reader, Setting, duration, on_or_off, parse::unread};
use domain::{
    accounts::Secret,
    notification::{Occasion, Subscription, is_receiver, sign::SigningKey},
    recommendation::Severity,
};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

/// All of them.
pub(super) const SETTINGS: &[Setting] = &[
    Setting::flag("notify-file", "FILE", "File with the receivers of notifications (TOML) [KUBERNAUT_NOTIFY_FILE]"),
    Setting::flag(
        "notify-lead",
        "DURATION",
        "How long before its deadline a recommendation is said to expire [KUBERNAUT_NOTIFY_LEAD] [default: 5m]",
    ),
    Setting::flag(
        "notify-attempts",
        "NUMBER",
        "How often a notification is tried before somebody has to look [KUBERNAUT_NOTIFY_ATTEMPTS] [default: 15]",
    ),
    Setting::flag(
        "notify-ca-file",
        "FILE",
        "Authorities of receivers to believe besides the system's, PEM [KUBERNAUT_NOTIFY_CA_FILE]",
    ),
    Setting::flag(
        "notify-allow-private",
        "SWITCH",
        "on, or off: receivers may have private addresses [KUBERNAUT_NOTIFY_ALLOW_PRIVATE] [default: off]",
    ),
];

/// The most receivers.
const MOST: usize = 20;

/// Who is told, and how.
#[derive(Clone, Debug)]
pub struct NotifyConfig {
    /// The file with the receivers.
    pub file: Option<PathBuf>,
    /// Who is told.
    pub receivers: Vec<Receiver>,
    /// How long before its deadline a recommendation is said to expire.
    pub lead: Duration,
    /// How often a notification is tried.
    pub attempts: u32,
    /// Authorities whose certificates are believed besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether receivers may have private addresses.
    pub allow_private: bool,
}

/// Somebody who is told.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Its name, and what it wants to be told.
    pub subscription: Subscription,
    /// Where it is called.
    pub url: Secret,
    /// The host of that.
    pub host: String,
    /// What messages to it are signed with: all of them.
    pub keys: Vec<SigningKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    #[serde(default)]
    receiver: Vec<ReceiverForm>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ReceiverForm {
    name: String,
    url: String,
    secret_file: Option<PathBuf>,
    secret_env: Option<String>,
    events: Option<Vec<String>>,
    #[serde(default)]
    severities: Vec<String>,
    #[serde(default)]
    environments: Vec<String>,
}

/// What is set. `env` reads an environment variable.
pub(super) fn read(reader: &Reader<'_>, env: impl Fn(&str) -> Option<String>) -> Result<NotifyConfig, ConfigError> {
    let file = reader.texts.get("notify-file").map(PathBuf::from);
    Ok(NotifyConfig {
        receivers: file.as_deref().map(|path| receivers(path, &env)).transpose()?.unwrap_or_default(),
        file,
        lead: reader.get("notify-lead", "5m", duration, "write a duration from 10s to 24h, such as 5m")?,
        attempts: reader.get(
            "notify-attempts",
            "15",
            |text| text.parse().ok().filter(|tries| (1..=50).contains(tries)),
            "write a number from 1 to 50",
        )?,
        ca_file: reader.texts.get("notify-ca-file").map(PathBuf::from),
        allow_private: reader.get("notify-allow-private", "off", on_or_off, "write on or off")?,
    })
}

/// For `config show`. Where the file lies is no secret; what is in it may be.
pub(super) fn shown(config: &Config) -> [(&'static str, String); 5] {
    let NotifyConfig { file, lead, attempts, ca_file, allow_private, .. } = &config.notify;
    let path = |path: Option<&PathBuf>| path.map_or_else(|| "none".into(), |path| path.display().to_string());
    [
        ("notify-file", path(file.as_ref())),
        ("notify-lead", humantime::format_duration(*lead).to_string()),
        ("notify-attempts", attempts.to_string()),
        ("notify-ca-file", path(ca_file.as_ref())),
        ("notify-allow-private", if *allow_private { "on" } else { "off" }.into()),
    ]
}

fn receivers(path: &Path, env: &impl Fn(&str) -> Option<String>) -> Result<Vec<Receiver>, ConfigError> {
    let fault = |detail: String| ConfigError::File { path: path.to_owned(), detail };
    let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    // What stands in the line may be secret: the fault says where it is, and shows nothing of it.
    let FileForm { receiver } = toml::from_str(&text).map_err(|error| {
        let line =
            error.span().and_then(|at| text.get(..at.start)).map_or(1, |before| before.matches('\n').count() + 1);
        fault(format!(
            "line {line} can't be used: write [[receiver]] and under it name, url, secret-file or secret-env, and if \
             wanted events, severities, environments"
        ))
    })?;
    if receiver.len() > MOST {
        return Err(fault(format!("it names {} receivers, at most {MOST} are told", receiver.len())));
    }
    let mut names = BTreeSet::new();
    let mut read = Vec::new();
    for form in receiver {
        let name = form.name.clone();
        if !is_receiver(&name) {
            return Err(fault(
                "the name of a receiver has at most 40 lower-case letters, digits and inner hyphens, such as on-call"
                    .into(),
            ));
        }
        if !names.insert(name.clone()) {
            return Err(fault(format!("two receivers are called {name}")));
        }
        read.push(one(form, path, env).map_err(|advice| fault(format!("receiver {name}: {advice}")))?);
    }
    Ok(read)
}

/// One of them; a refusal says what to do and shows neither address nor secret.
fn one(form: ReceiverForm, file: &Path, env: &impl Fn(&str) -> Option<String>) -> Result<Receiver, String> {
    let host = host(&form.url).ok_or(
        "url must be https://host/path, without a name and password in it; http:// on a loopback address only",
    )?;
    let secret = match (&form.secret_file, &form.secret_env) {
        (Some(path), None) => {
            // A file beside this one may be named by its name alone.
            let path = file.parent().map_or_else(|| path.clone(), |here| here.join(path));
            std::fs::read_to_string(&path)
                .map_err(|error| format!("its secret-file {} can't be read: {error}", path.display()))?
        }
        (None, Some(name)) => env(name).ok_or_else(|| format!("the variable {name} of its secret-env is not set"))?,
        _ => return Err("give it a secret by secret-file or by secret-env, one of the two".into()),
    };
    let keys: Result<Vec<_>, _> = secret.split_whitespace().map(SigningKey::parse).collect();
    let keys = keys.map_err(|error| error.to_string())?;
    if keys.is_empty() || keys.len() > 3 {
        return Err("its secret must hold one to three keys, one a line".into());
    }
    let chosen = || Occasion::CHOSEN.into_iter();
    let occasions = match &form.events {
        None => chosen().collect(),
        Some(names) => words(names, |name| chosen().find(|occasion| occasion.name() == name))
            .filter(|occasions: &Vec<Occasion>| !occasions.is_empty())
            .ok_or("events are new, expiring and decided; leave them out for all")?,
    };
    let severities = words(&form.severities, Severity::from_name)
        .ok_or("severities are info, low, medium, high and critical; leave them out for all")?;
    Ok(Receiver {
        subscription: Subscription { receiver: form.name, occasions, severities, environments: form.environments },
        url: Secret(form.url),
        host,
        keys,
    })
}

fn words<T>(names: &[String], known: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    names.iter().map(|name| known(name)).collect()
}

/// The host of an address that may be called at all. Whether it is private is judged at each call.
fn host(text: &str) -> Option<String> {
    let url = unread(text)?;
    let plain = !url.authority()?.as_str().contains('@') && !text.contains('#');
    url.host().filter(|_| plain).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::Given;
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn load(text: &str) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("receivers.toml");
        std::fs::write(&file, text).unwrap();
        std::fs::write(dir.path().join("chat.key"), format!("{SECRET}\n")).unwrap();
        let flags = Given::from([("notify-file", file.display().to_string())]);
        Config::load(&flags, None, |name| (name == "CHAT_SECRET").then(|| SECRET.to_owned()))
    }

    #[test]
    fn nobody_is_told_by_default() {
        let config = Config::load(&Given::new(), None, |_| None).unwrap().notify;
        assert!(config.receivers.is_empty());
        assert_eq!((config.attempts, config.lead, config.allow_private), (15, Duration::from_mins(5), false));
    }

    #[test]
    fn receivers_are_read_and_their_secrets_are_not_shown() {
        let config = load(
            "[[receiver]]\nname = \"chat\"\nurl = \"https://hooks.example/hunter2\"\nsecret-file = \"chat.key\"\n\n\
             [[receiver]]\nname = \"pager\"\nurl = \"http://127.0.0.1:9/\"\nsecret-env = \"CHAT_SECRET\"\n\
             events = [\"expiring\"]\nseverities = [\"high\", \"critical\"]\nenvironments = [\"production\"]\n",
        )
        .unwrap();
        let [chat, pager] = config.notify.receivers.as_slice() else { panic!("two of them") };
        assert_eq!((chat.host.as_str(), chat.subscription.occasions.len()), ("hooks.example", 3));
        assert_eq!(chat.keys, pager.keys);
        assert_eq!(pager.subscription.occasions, [Occasion::Expiring]);
        assert_eq!(pager.subscription.severities, [Severity::High, Severity::Critical]);
        assert!(chat.subscription.severities.is_empty());
        let shown = format!("{config:?} {:?} {:?}", config.notify, config.show());
        assert!(!shown.contains("hunter2") && !shown.contains("MfKQ9r8"), "{shown}");
    }

    #[test]
    fn a_wrong_file_is_refused_and_not_shown() {
        let with = |more: &str| format!("[[receiver]]\nname = \"chat\"\nsecret-file = \"chat.key\"\n{more}");
        let good = "url = \"https://hooks.example/hunter2\"\n";
        for (text, told) in [
            (with("url = \"http://hooks.example/hunter2\"\n"), "https://"),
            (with("url = \"https://me:hunter2@hooks.example/\"\n"), "https://"),
            (with("url = [\"hunter2\"]\n"), "line "),
            (with(&format!("{good}token = \"hunter2\"\n")), "[[receiver]]"),
            (with(&format!("{good}secret-env = \"CHAT_SECRET\"\n")), "one of the two"),
            (with(&format!("{good}events = [\"test\"]\n")), "events are"),
            (with(&format!("{good}events = []\n")), "events are"),
            (with(&format!("{good}severities = [\"bad\"]\n")), "severities are"),
            (with(good).replace("chat.key", "none.key"), "secret-file"),
            (with(good).replace("secret-file = \"chat.key\"", "secret-env = \"NONE\""), "NONE"),
            (with(good).replace("chat\"", "Chat\""), "lower-case"),
            (format!("{}{}", with(good), with(good)), "two receivers"),
        ] {
            let error = load(&text).unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("hunter2"), "{text}: {error}");
        }
    }
}
