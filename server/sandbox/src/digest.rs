//! Names that must be unique or stable, derived from content: the sandbox has no randomness.

use sha2::{Digest, Sha256};

fn hash(parts: &[&str]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.finalize().into()
}

/// `sha256:` and 64 hexadecimal digits.
pub(crate) fn sha256(parts: &[&str]) -> String {
    format!("sha256:{}", hex::encode(hash(parts)))
}

/// In the form of a version 4 UUID.
pub(crate) fn uuid(parts: &[&str]) -> String {
    let mut hex = hex::encode(hash(parts).get(..16).unwrap_or_default());
    hex.replace_range(12..13, "4");
    hex.replace_range(16..17, "a");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// A suffix as `generateName` makes it: letters and digits that cannot spell a word.
pub(crate) fn suffix(parts: &[&str], length: usize) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    hash(parts)
        .iter()
        .take(length)
        .filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()).map(|c| char::from(*c)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(sha256(&["a"]).len(), 71);
        let uuid = uuid(&["a"]);
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.chars().nth(14), Some('4'));
        assert_eq!(suffix(&["a"], 5).len(), 5);
        assert_ne!(suffix(&["a"], 5), suffix(&["b"], 5));
    }
}
