//! `a=1&b=2` as it stands in queries and forms, read strictly: what is no text is no pair.

/// The pairs, in their order; none when a percent sign stands for no text.
pub fn pairs(encoded: &[u8]) -> Option<Vec<(String, String)>> {
    let all = encoded.split(|b| *b == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let end = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
        Some((decoded(&pair[..end])?, decoded(pair.get(end + 1..).unwrap_or_default())?))
    });
    all.collect()
}

/// Texts joined to one query, percent signs and all.
pub fn query<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A text as one segment of a path.
pub fn segment(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

fn decoded(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
                let good = digits.bytes().all(|b| b.is_ascii_hexdigit());
                bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| good)?);
                rest = tail.get(2..)?;
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_refused() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            pairs(b"a=1&&b=%C3%A4+x&c&=d"),
            Some(vec![pair("a", "1"), pair("b", "ä x"), pair("c", ""), pair("", "d")])
        );
        for bad in [&b"a=%FF"[..], b"a=%", b"a=%4", b"a=%+1", b"%zz=1", b"a=\xff"] {
            assert_eq!(pairs(bad), None, "{bad:?}");
        }
        assert_eq!(query([("a b", "c&d")]), "a+b=c%26d");
        assert_eq!(segment("1.0.0+x y/z"), "1.0.0%2Bx%20y%2Fz");
    }
}
