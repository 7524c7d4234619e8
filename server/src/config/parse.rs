//! What each setting's text means; none where it means nothing. Pure.

use super::{ClusterChoice, Scene};
use axum::http::Uri;
use ipnet::IpNet;
use std::{net::IpAddr, ops::RangeInclusive, time::Duration};

pub fn cluster(text: &str) -> Option<ClusterChoice> {
    match text {
        "sandbox" => Some(ClusterChoice::Sandbox),
        "kubeconfig" => Some(ClusterChoice::Kubeconfig),
        "in-cluster" => Some(ClusterChoice::InCluster),
        _ => None,
    }
}

pub fn scene(text: &str) -> Option<Scene> {
    match text {
        "off" => Some(Scene::Off),
        "demo" => Some(Scene::Demo),
        _ => None,
    }
}

/// None where nobody says; a long one would push the page's own name away.
#[expect(clippy::option_option, reason = "not good, good and empty, good and a word")]
pub fn environment(text: &str) -> Option<Option<String>> {
    const LONGEST: usize = 24;
    let text = text.trim();
    let good = text.chars().nth(LONGEST).is_none() && domain::text::check_line(text).is_ok();
    good.then(|| Some(text.to_owned()).filter(|text| !text.is_empty()))
}

pub fn namespace(text: &str) -> Option<String> {
    let good = (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    good.then(|| text.to_owned())
}

/// As the cluster's nodes know it: without a registry, too.
pub fn image(text: &str) -> Option<String> {
    const LONGEST: usize = 512;
    let part = |b: u8| b.is_ascii_alphanumeric() || b"._-/:@".contains(&b);
    let good = (1..=LONGEST).contains(&text.len()) && text.bytes().all(part);
    good.then(|| text.to_owned())
}

/// As a browser or a program names them.
pub fn hosts(text: &str) -> Option<Vec<String>> {
    const LONGEST: usize = 253;
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let good = |name: &str| {
        let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        name.len() <= LONGEST && (letters || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok())
    };
    names.map(|name| good(name).then(|| name.to_owned())).collect()
}

pub fn duration(text: &str) -> Option<Duration> {
    span(text, Duration::from_secs(10)..=Duration::from_hours(24))
}

/// At least the ninety days that everything is kept.
pub fn days(text: &str) -> Option<u32> {
    text.parse().ok().filter(|days| *days >= 90)
}

pub fn span(text: &str, bounds: RangeInclusive<Duration>) -> Option<Duration> {
    humantime::parse_duration(text).ok().filter(|parsed| bounds.contains(parsed))
}

/// Networks, or single addresses, with commas between them.
pub fn networks(text: &str) -> Option<Vec<IpNet>> {
    if text == "none" {
        return Some(Vec::new());
    }
    let each = text.split(',').map(str::trim);
    each.map(|one| one.parse().ok().or_else(|| one.parse::<IpAddr>().ok().map(IpNet::from))).collect()
}

pub fn on_or_off(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

pub fn audience(text: &str) -> Option<String> {
    const LONGEST: usize = 253;
    let good = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    good.then(|| text.to_owned())
}

/// An address that nobody reads along at: https anywhere; http only where nobody else can listen.
pub fn unread(text: &str) -> Option<Uri> {
    let url: Uri = text.parse().ok()?;
    let host = url.host()?.trim_matches(['[', ']']);
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let good = url.scheme_str() == Some("https") || (url.scheme_str() == Some("http") && loopback);
    good.then_some(url)
}

/// Where people reach the console.
pub fn public_url(text: &str) -> Option<String> {
    let text = text.trim_end_matches('/');
    let url = unread(text)?;
    let plain = url.path().trim_end_matches('/').is_empty() && url.query().is_none();
    plain.then(|| text.to_owned())
}

/// Where somebody is called, without a slash at the end. What lets one in stands elsewhere.
pub fn address(text: &str) -> Option<String> {
    let text = text.trim_end_matches('/');
    let url = unread(text)?;
    (url.query().is_none() && !text.contains('@')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        for good in ["https://console.example", "http://127.0.0.1:3000", "http://localhost:8080/", "http://[::1]:3000"]
        {
            assert!(public_url(good).is_some(), "{good}");
        }
        for bad in ["http://console.example", "ftp://x", "console.example", "https://x/path"] {
            assert!(public_url(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn hosts_are_names_without_ports() {
        assert_eq!(hosts(" a.svc, b-1 ,,[::1]"), Some(vec!["a.svc".to_owned(), "b-1".to_owned(), "[::1]".to_owned()]));
        assert_eq!(hosts(""), Some(Vec::new()));
        for bad in ["a:80", "a b", "a/b", "*.a", "a,b:1"] {
            assert_eq!(hosts(bad), None, "{bad}");
        }
    }
}
