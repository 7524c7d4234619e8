//! Whose signatures of images count: a file in YAML that names the registries to ask, keys, identities, authorities and logs. Files that
//! it names lie beside it, unless they are named whole.

use super::{ConfigError, Reader, Setting};
use crate::signatures::{Log, Trust, TrustedKey};
use domain::{accounts::Secret, signature::TrustedIdentity, text::check_line};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, pem::PemObject as _};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::{Path, PathBuf},
};

pub(super) const SETTINGS: &[Setting] = &[Setting::flag(
    "signatures-file",
    "FILE",
    "File that says whose signatures of images count, and which registries are asked (YAML) \
     [KUBERNAUT_SIGNATURES_FILE]",
)];

const NAME: &str = "signatures-file";
/// The most of anything that the file lists.
const MOST: usize = 100;

/// Who is trusted, and which registries are asked.
#[derive(Clone)]
pub struct SignaturesConfig {
    /// The file that says so.
    pub file: PathBuf,
    /// Registries, as images name them.
    pub registries: Vec<String>,
    /// What they are told, by their names.
    pub logins: HashMap<String, Secret>,
    /// Authorities (PEM) that their own certificates are believed by besides the system's.
    pub ca: Option<Vec<u8>>,
    /// Whether they may have private addresses.
    pub allow_private: bool,
    /// Who is trusted.
    pub trust: Trust,
}

impl fmt::Debug for SignaturesConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SignaturesConfig").field(&self.file).finish()
    }
}

/// The file's form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    registries: Vec<String>,
    #[serde(default)]
    keys: Vec<KeyForm>,
    #[serde(default)]
    identities: Vec<TrustedIdentityForm>,
    authorities: Option<PathBuf>,
    #[serde(default)]
    transparency_logs: Vec<PathBuf>,
    #[serde(default)]
    access: AccessForm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyForm {
    name: String,
    file: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustedIdentityForm {
    issuer: String,
    subject: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AccessForm {
    logins: Option<PathBuf>,
    ca: Option<PathBuf>,
    allow_private: bool,
}

/// What `docker login` and a Secret of the type `kubernetes.io/dockerconfigjson` hold.
#[derive(Deserialize)]
struct Logins {
    #[serde(default)]
    auths: BTreeMap<String, Login>,
}

#[derive(Deserialize)]
struct Login {
    auth: Option<String>,
}

/// What is set; none where no file is.
pub(super) fn read(reader: &Reader<'_>) -> Result<Option<SignaturesConfig>, ConfigError> {
    let Some(file) = reader.texts.get(NAME).map(PathBuf::from) else { return Ok(None) };
    let config = from(&file).map_err(|detail| ConfigError::File { path: file, detail })?;
    Ok(Some(config))
}

/// For `config show`.
pub(super) fn shown(config: Option<&SignaturesConfig>) -> (&'static str, String) {
    (NAME, config.map_or_else(|| "none".into(), |config| config.file.display().to_string()))
}

fn from(file: &Path) -> Result<SignaturesConfig, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let form: Form = serde_norway::from_str(&text).map_err(|error| error.to_string())?;
    let beside = Beside(file.parent().unwrap_or(Path::new(".")));
    if form.registries.is_empty() || form.registries.len() > MOST {
        return Err("name under registries those that are asked, as images name them, such as quay.io".into());
    }
    if let Some(wrong) = form.registries.iter().find(|name| !is_host(name)) {
        return Err(format!("{wrong} is no registry: write its name as images have it, such as quay.io"));
    }
    let keys = form.keys.iter().map(|key| {
        if key.name.is_empty() || key.name.len() > 64 || check_line(&key.name).is_err() {
            return Err("give each key a name of at most 64 characters on one line".to_owned());
        }
        Ok(TrustedKey { name: key.name.clone(), key: beside.key(&key.file)? })
    });
    let identities = form.identities.into_iter().map(|TrustedIdentityForm { issuer, subject }| {
        // Whoever can have a certificate would be trusted.
        if issuer.is_empty() || subject.trim_matches('*').is_empty() {
            return Err("give each identity an issuer, and a subject that is more than *".to_owned());
        }
        Ok(TrustedIdentity { issuer, subject })
    });
    let logs = form.transparency_logs.iter().map(|file| Ok(Log { key: beside.key(file)? }));
    let trust = Trust {
        keys: keys.collect::<Result<_, String>>()?,
        identities: identities.collect::<Result<_, String>>()?,
        authorities: form.authorities.as_deref().map(|file| beside.authorities(file)).transpose()?.unwrap_or_default(),
        logs: logs.collect::<Result<_, String>>()?,
    };
    if trust.keys.is_empty() && trust.identities.is_empty() {
        return Err("nobody would be trusted: name keys, or identities with their authorities".into());
    }
    if trust.identities.is_empty() != trust.authorities.is_empty() {
        return Err("identities need authorities that give their certificates, and authorities identities".into());
    }
    Ok(SignaturesConfig {
        file: file.to_owned(),
        registries: form.registries,
        logins: form.access.logins.as_deref().map(|file| beside.logins(file)).transpose()?.unwrap_or_default(),
        ca: form.access.ca.as_deref().map(|file| beside.bytes(file)).transpose()?,
        allow_private: form.access.allow_private,
        trust,
    })
}

fn is_host(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    !name.is_empty() && name.len() <= 253 && name.bytes().all(plain)
}

/// Files beside the one that names them.
struct Beside<'p>(&'p Path);

impl Beside<'_> {
    fn bytes(&self, file: &Path) -> Result<Vec<u8>, String> {
        std::fs::read(self.0.join(file)).map_err(|error| format!("{} can't be read: {error}", file.display()))
    }

    fn key(&self, file: &Path) -> Result<SubjectPublicKeyInfoDer<'static>, String> {
        SubjectPublicKeyInfoDer::from_pem_slice(&self.bytes(file)?)
            .map_err(|_| format!("{} holds no public key in PEM, as `cosign public-key` prints it", file.display()))
    }

    fn authorities(&self, file: &Path) -> Result<Vec<rustls::pki_types::TrustAnchor<'static>>, String> {
        let wrong = || format!("{} holds no certificates in PEM", file.display());
        let bytes = self.bytes(file)?;
        let all = CertificateDer::pem_slice_iter(&bytes).take(MOST).collect::<Result<Vec<_>, _>>();
        let all = all.map_err(|_| wrong())?;
        if all.is_empty() {
            return Err(wrong());
        }
        let anchors = all.iter().map(|one| webpki::anchor_from_trusted_cert(one).map(|anchor| anchor.to_owned()));
        anchors.collect::<Result<_, _>>().map_err(|_| wrong())
    }

    fn logins(&self, file: &Path) -> Result<HashMap<String, Secret>, String> {
        // What stands in it is secret: the fault says nothing of it.
        let read: Logins = serde_json::from_slice(&self.bytes(file)?)
            .map_err(|_| format!("{} is no file as `docker login` writes it: {{\"auths\": …}}", file.display()))?;
        let logins = read.auths.into_iter().filter_map(|(name, login)| {
            let host = name.trim_start_matches("https://").split('/').next().unwrap_or_default();
            let host = if host == "index.docker.io" { "docker.io" } else { host };
            Some((host.to_owned(), Secret(login.auth?)))
        });
        Ok(logins.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Given};

    const KEY: &str = include_str!("../signatures/samples/release.pub");
    const AUTHORITY: &str = include_str!("../signatures/samples/ca.pem");

    fn load(text: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("trust.yaml", text), ("release.pub", KEY), ("ca.pem", AUTHORITY), ("no.pem", "nothing")] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        std::fs::write(
            dir.path().join("logins.json"),
            r#"{"auths":{"https://index.docker.io/v1/":{"auth":"aHVudGVyMg=="}}}"#,
        )
        .unwrap();
        let path = dir.path().join("trust.yaml").display().to_string();
        Config::load(&Given::from([("signatures-file", path)]), None, |_| None).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_says_who_is_trusted_and_shows_no_secret() {
        let config = load(
            "registries: [quay.io, '127.0.0.1:5000', docker.io]\nkeys: [{ name: release, file: release.pub }]\n\
             identities: [{ issuer: 'https://token.example', subject: 'https://git.example/team/*' }]\n\
             authorities: ca.pem\ntransparency_logs: [release.pub]\naccess: { logins: logins.json, allow_private: true }\n",
        )
        .unwrap();
        assert!(!format!("{config:?}").contains("aHVudGVyMg"));
        let signatures = config.signatures.as_ref().unwrap();
        assert!(!format!("{signatures:?}").contains("aHVudGVyMg"));
        assert_eq!(signatures.logins["docker.io"].0, "aHVudGVyMg==");
        let trust = &signatures.trust;
        assert_eq!((trust.keys.len(), trust.identities.len(), trust.authorities.len(), trust.logs.len()), (1, 1, 1, 1));
        assert!(signatures.allow_private && signatures.registries.len() == 3);
    }

    #[test]
    fn what_would_trust_nobody_or_everybody_is_refused_with_what_to_write() {
        for (text, told) in [
            ("registries: [quay.io]", "nobody would be trusted"),
            ("keys: [{ name: release, file: release.pub }]", "registries"),
            ("registries: []\nkeys: [{ name: release, file: release.pub }]", "name under registries"),
            ("registries: ['https://quay.io']\nkeys: [{ name: release, file: release.pub }]", "is no registry"),
            ("registries: [quay.io]\nkeys: [{ name: release, file: no.pem }]", "no public key"),
            ("registries: [quay.io]\nkeys: [{ name: release, file: gone.pub }]", "can't be read"),
            ("registries: [quay.io]\nkeys: [{ name: '', file: release.pub }]", "a name"),
            ("registries: [quay.io]\nkey: x", "unknown field"),
            (
                "registries: [quay.io]\nidentities: [{ issuer: 'https://a', subject: '*' }]\nauthorities: ca.pem",
                "more than *",
            ),
            ("registries: [quay.io]\nidentities: [{ issuer: 'https://a', subject: 'b' }]", "need authorities"),
            (
                "registries: [quay.io]\nidentities: [{ issuer: 'https://a', subject: 'b' }]\nauthorities: no.pem",
                "no certificates",
            ),
            ("registries: [quay.io]\nkeys: [{ name: a, file: release.pub }]\nauthorities: ca.pem", "need authorities"),
        ] {
            let error = load(text).unwrap_err();
            assert!(error.contains(told) && error.contains("trust.yaml"), "{text}: {error}");
        }
    }
}
