//! API tokens: a prefix that secret scanners can know, 256 random bits, stored as SHA-256. The secret has full entropy, so
//! a slow hash would add nothing.

use crate::edge;
use sha2::{Digest as _, Sha256};

/// Every token begins so.
const PREFIX: &str = "kbn_";

/// A fresh secret: shown once.
#[derive(Clone)]
pub struct NewSecret {
    /// What the holder sends.
    pub secret: String,
    /// What is stored.
    pub hash: String,
}

/// Makes a secret.
pub fn new_secret() -> NewSecret {
    let secret = format!("{PREFIX}{}", hex::encode(edge::random_bytes::<32>()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_by_its_hash_alone() {
        let new = new_secret();
        assert!(new.secret.starts_with(PREFIX));
        assert_eq!(hash_secret(&new.secret), new.hash);
        assert_ne!(new_secret().secret, new.secret);
    }
}
