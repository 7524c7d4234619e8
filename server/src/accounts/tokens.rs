//! API tokens: a prefix and a checksum that secret scanners can know, 256 random bits, stored as SHA-256. The secret has full
//! entropy, so a slow hash would add nothing. Their form, for scanners: `kbn_[0-9a-f]{72}`, of which the last eight digits are the
//! first eight of the SHA-256 of all before them (docs/accounts.md).

use crate::edge;
use sha2::{Digest as _, Sha256};

/// Every token begins so.
const PREFIX: &str = "kbn_";
/// Digits of the random part.
const RANDOM: usize = 64;
/// Digits of the checksum. Tokens from before there was one have none, and work.
const CHECKSUM: usize = 8;

/// A fresh secret: shown once.
#[derive(Clone)]
pub struct NewSecret {
    /// What the holder sends.
    pub secret: String,
    /// What is stored.
    pub hash: String,
}

/// Makes a token's secret.
pub fn new_secret() -> NewSecret {
    let body = format!("{PREFIX}{}", hex::encode(edge::random_bytes::<32>()));
    let secret = format!("{body}{}", checksum(&body));
    let hash = hash_secret(&secret);
    NewSecret { secret, hash }
}

/// Makes what a browser is known by: as long, and without a prefix, for it is nothing that anybody should paste somewhere.
pub fn new_session_secret() -> NewSecret {
    let secret = hex::encode(edge::random_bytes::<32>());
    let hash = hash_secret(&secret);
    NewSecret { secret, hash }
}

/// What is stored of a secret.
pub fn hash_secret(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Whether a text can be a token's secret at all; the database is not asked about others.
pub fn possible(secret: &str) -> bool {
    let Some(digits) = secret.strip_prefix(PREFIX) else { return false };
    if !digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return false;
    }
    match digits.len() {
        RANDOM => true,
        n if n == RANDOM + CHECKSUM => {
            let (body, sum) = secret.split_at(secret.len() - CHECKSUM);
            checksum(body) == sum
        }
        _ => false,
    }
}

fn checksum(body: &str) -> String {
    hash_secret(body).chars().take(CHECKSUM).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_by_its_hash_alone() {
        let new = new_secret();
        assert_eq!(hash_secret(&new.secret), new.hash);
        assert_ne!(new_secret().secret, new.secret);
    }

    #[test]
    fn a_token_is_known_by_its_form_and_its_checksum() {
        let NewSecret { secret, .. } = new_secret();
        assert_eq!((secret.len(), possible(&secret)), (PREFIX.len() + RANDOM + CHECKSUM, true));
        // What docs/accounts.md tells scanners, in figures.
        let known = "kbn_00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        assert_eq!(checksum(known), CHECKSUM_OF_KNOWN);
        assert!(possible(known), "one from before there were checksums");
        assert!(possible(&format!("{known}{CHECKSUM_OF_KNOWN}")));
        let last = if secret.ends_with('0') { '1' } else { '0' };
        let miswritten = format!("{}{last}", &secret[..secret.len() - 1]);
        let prefixless = &secret[PREFIX.len()..];
        for wrong in
            [&*miswritten, prefixless, "kbn_", "kbn_nothing", "", &secret.to_uppercase(), &format!("{secret}0")]
        {
            assert!(!possible(wrong), "{wrong}");
        }
    }

    const CHECKSUM_OF_KNOWN: &str = "7a3ad36a";
}
