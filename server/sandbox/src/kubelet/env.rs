//! A container's environment, as the kubelet makes it: `envFrom` as it is, `env.value` with `$(NAME)` expanded and `$$`
//! folded, references looked up. What is missing keeps the container from starting.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use serde_json::Value;

use crate::api::{Api, Key};

/// Name → value.
pub(crate) type Env = BTreeMap<String, String>;

/// `Err` is the message of `CreateContainerConfigError`.
pub(crate) fn build(api: &Api, namespace: &str, pod: &str, container: &Value) -> Result<Env, String> {
    let mut env = Env::from([
        ("HOSTNAME".into(), pod.to_owned()),
        ("HOME".into(), "/".into()),
        ("PATH".into(), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()),
    ]);
    let mut declared = Env::new();
    for source in container["envFrom"].as_array().into_iter().flatten() {
        let prefix = source["prefix"].as_str().unwrap_or_default();
        for (name, value) in all(api, namespace, source)? {
            declared.insert(format!("{prefix}{name}"), value);
        }
    }
    for entry in container["env"].as_array().into_iter().flatten() {
        let name = entry["name"].as_str().unwrap_or_default().to_owned();
        let value = match entry.get("valueFrom") {
            Some(source) => one(api, namespace, pod, source)?,
            None => Some(expand(entry["value"].as_str().unwrap_or_default(), &declared)),
        };
        if let Some(value) = value {
            declared.insert(name, value);
        }
    }
    env.extend(declared);
    Ok(env)
}

fn text_data(object: &Value) -> Env {
    let plain = object["data"].as_object().into_iter().flatten();
    plain.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

fn secret_data(object: &Value) -> Env {
    let encoded = object["data"].as_object().into_iter().flatten();
    encoded
        .filter_map(|(name, value)| {
            let bytes: ByteString = serde_json::from_value(value.clone()).ok()?;
            Some((name.clone(), String::from_utf8_lossy(&bytes.0).into_owned()))
        })
        .collect()
}

fn lookup(api: &Api, namespace: &str, kind: &str, reference: &Value) -> Result<Option<Env>, String> {
    let name = reference["name"].as_str().unwrap_or_default();
    let (qualified, word) = if kind == "configMap" { ("configmaps", "configmap") } else { ("secrets", "secret") };
    match api.read(qualified, &Key::new(namespace, name)) {
        Some(object) if kind == "configMap" => Ok(Some(text_data(&object))),
        Some(object) => Ok(Some(secret_data(&object))),
        None if reference["optional"] == Value::Bool(true) => Ok(None),
        None => Err(format!("{word} \"{name}\" not found")),
    }
}

fn all(api: &Api, namespace: &str, source: &Value) -> Result<Env, String> {
    let found = if let Some(reference) = source.get("configMapRef") {
        lookup(api, namespace, "configMap", reference)?
    } else if let Some(reference) = source.get("secretRef") {
        lookup(api, namespace, "secret", reference)?
    } else {
        None
    };
    Ok(found.unwrap_or_default())
}

fn one(api: &Api, namespace: &str, pod: &str, source: &Value) -> Result<Option<String>, String> {
    for (field, kind, word) in [("configMapKeyRef", "configMap", "ConfigMap"), ("secretKeyRef", "secret", "Secret")] {
        let Some(reference) = source.get(field) else { continue };
        let Some(mut data) = lookup(api, namespace, kind, reference)? else { return Ok(None) };
        let (name, key) =
            (reference["name"].as_str().unwrap_or_default(), reference["key"].as_str().unwrap_or_default());
        return match data.remove(key) {
            Some(value) => Ok(Some(value)),
            None if reference["optional"] == Value::Bool(true) => Ok(None),
            None => Err(format!("couldn't find key {key} in {word} {namespace}/{name}")),
        };
    }
    Ok(match source["fieldRef"]["fieldPath"].as_str() {
        Some("metadata.name") => Some(pod.to_owned()),
        Some("metadata.namespace") => Some(namespace.to_owned()),
        _ => None,
    })
}

/// `third_party/forked/golang/expansion` of Kubernetes: `$(NAME)` if NAME is known, `$$` is `$`, all else as it is.
fn expand(text: &str, known: &Env) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some((name, tail)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            if let Some(value) = known.get(name) {
                out.push_str(value);
            } else {
                out.push_str("$(");
                out.push_str(name);
                out.push(')');
            }
            rest = tail;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rewritten_as_the_kubelet_does() {
        let known = Env::from([("HOME".into(), "/home".into())]);
        for (text, wanted) in [
            ("$$x $(HOME) $$(HOME)", "$x /home $(HOME)"),
            ("$(UNKNOWN) $HOME ${HOME} $", "$(UNKNOWN) $HOME ${HOME} $"),
            ("$(open", "$(open"),
            ("plain", "plain"),
        ] {
            assert_eq!(expand(text, &known), wanted, "{text}");
        }
    }
}
