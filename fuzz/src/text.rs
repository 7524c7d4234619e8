//! Texts for people and for values: what is judged fine has nothing unseen in it, and what is made of any text is fine.

use crate::{Came, kind};
use domain::{
    pipeline_run::label_value,
    playbook::ImageRef,
    text::{check_line, check_paragraphs, check_value, is_unseen, one_line, seen},
    ticket::dns_label,
    time::Timestamp,
    workspace,
};

pub const SEEDS: &[&[u8]] = &[
    "plain, ünïcödé, 節点, שלום, 👩\u{200d}🚒".as_bytes(),
    "a\u{202e}b\u{2066}c\u{200f}d\u{1b}[31m\u{9b}\u{2028}\u{feff}\0".as_bytes(),
    b"$(params.x) $$ ${HOME} `id`",
    b"quay.io/kubernaut/playbook:v1@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    b"2026-11-23T03:15:00.123Z",
    b"</script><img src=x onerror=alert(1)>",
];

pub fn run(input: &[u8]) -> Came {
    let text = String::from_utf8_lossy(input);
    let (line, paragraphs, value) =
        (check_line(&text).is_ok(), check_paragraphs(&text).is_ok(), check_value(&text).is_ok());
    assert!(!line || !text.chars().any(is_unseen), "a line with something unseen");
    assert!(!line || paragraphs, "a line is a paragraph");
    assert!(
        !value || (line && !text.contains("$(") && text.len() <= 4096),
        "a value is a short line that nothing expands"
    );
    assert!(!seen(&text).chars().any(is_unseen));
    for most in [0, 1, 20] {
        let short = one_line(&text, most);
        assert!(short.chars().count() <= most + 1 && check_line(&short).is_ok(), "{short:?}");
    }
    let label = label_value(&text);
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let ends = [label.chars().next(), label.chars().next_back()];
    assert!(label.len() <= 63 && label.chars().all(good), "{label}");
    assert!(ends.into_iter().flatten().all(|c| c.is_ascii_alphanumeric()), "{label}");
    for most in [1, 16, 63] {
        let name = dns_label(&text, most);
        assert!(name.len() <= most && !name.starts_with('-') && !name.ends_with('-'), "{name}");
    }
    assert!(!workspace::name(input).chars().any(is_unseen), "a file's name that is not seen");
    let image = text.parse::<ImageRef>();
    if let Ok(image) = &image {
        assert_eq!(
            image.to_string().parse::<ImageRef>().ok().as_ref(),
            Some(image),
            "an image is read as it is written"
        );
    }
    let time = Timestamp::parse(&text);
    if let Ok(time) = &time {
        assert_eq!(Timestamp::parse(&time.to_string()).ok().as_ref(), Some(time), "a time is read as it is written");
    }
    let of = (line, paragraphs, value, image.is_ok(), time.is_ok(), label.is_empty());
    if line || paragraphs { Came::Taken(kind(of)) } else { Came::Refused(kind(of)) }
}
