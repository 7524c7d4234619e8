//! Passwords: argon2id with the crate's recommended cost, in PHC strings.

use crate::edge;
use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, SaltString},
};
use domain::ports::PasswordHash;

/// The password can't be hashed.
#[derive(Debug, thiserror::Error)]
#[error("the password can't be hashed: {0}")]
pub struct HashError(String);

/// Hashes a password with a fresh salt.
pub fn hash_password(password: &str) -> Result<PasswordHash, HashError> {
    let salt = SaltString::encode_b64(&edge::random_bytes::<16>()).map_err(|e| HashError(e.to_string()))?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(|e| HashError(e.to_string()))?;
    Ok(PasswordHash(hash.to_string()))
}

/// Whether the password is the hashed one. A hash that can't be read matches nothing.
pub fn check_password(password: &str, hash: &PasswordHash) -> bool {
    #[cfg(test)]
    tests::note(password, hash);
    argon2::PasswordHash::new(&hash.0)
        .is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
}

/// A password for the first admin: 20 letters and digits that can't be mistaken for each other, some 99 bits.
pub fn new_password() -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    edge::random_bytes::<20>().iter().map(|b| char::from(LETTERS[usize::from(*b) % LETTERS.len()])).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::sync::{Mutex, PoisonError};

    /// What was checked, by all tests of this crate.
    static CHECKED: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

    pub fn note(password: &str, hash: &PasswordHash) {
        let mut checked = CHECKED.lock().unwrap_or_else(PoisonError::into_inner);
        checked.push((password.to_owned(), hash.0.clone()));
    }

    /// The hashes against which this password was checked.
    pub fn checked(password: &str) -> Vec<String> {
        let checked = CHECKED.lock().unwrap_or_else(PoisonError::into_inner);
        checked.iter().filter(|(one, _)| one == password).map(|(_, hash)| hash.clone()).collect()
    }

    #[test]
    fn only_the_right_password_matches_and_salts_differ() {
        let (a, b) = (hash_password("correct horse").unwrap(), hash_password("correct horse").unwrap());
        assert_ne!(a.0, b.0);
        assert!(a.0.starts_with("$argon2id$"));
        assert!(check_password("correct horse", &a) && check_password("correct horse", &b));
        assert!(!check_password("wrong horse", &a));
        assert!(!check_password("", &PasswordHash(String::new())));
    }

    #[test]
    fn new_passwords_are_long_and_differ() {
        assert_eq!(new_password().len(), 20);
        assert_ne!(new_password(), new_password());
    }
}
