//! How often passwords may be tried. Guessing at one account is slowed down wherever it comes from, and so that it never keeps its
//! person out: a browser at which they have signed in before has tries of its own, which strangers can't use up.

use super::{Accounts, hash_secret, new_session_secret};
use crate::services::store_fault;
use domain::{
    accounts::Secret,
    identity::Caller,
    ports::{Allowance, StoreError},
    services::{Answer, ServiceError},
};

/// Of one name, from anywhere: a stranger's.
const OF_NAME: Allowance = Allowance { at_once: 20, every_ms: 30_000 };
/// At one browser, or within one session.
const OF_ONE: Allowance = Allowance { at_once: 10, every_ms: 30_000 };
/// Digits of what names are folded to: so many are told apart, others share. What strangers send must not fill the table, and a name
/// that nobody has must be counted as one that somebody has.
const FOLDED: usize = 5;

/// Who tries a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trying {
    who: String,
    allowance: Allowance,
    /// Whether it is known to be somebody themselves.
    known: bool,
}

impl Trying {
    /// Within this caller's session: they are in already, and whoever tries their name elsewhere uses up nothing of it.
    pub fn within(caller: &Caller) -> Self {
        let who = caller.session.as_ref().map_or_else(|| caller.actor.id.to_string(), |session| session.id.clone());
        Self { who, allowance: OF_ONE, known: true }
    }

    fn of_name(name: &str) -> Self {
        let folded = hash_secret(&name.to_lowercase()).chars().take(FOLDED).collect::<String>();
        Self { who: format!("name:{folded}"), allowance: OF_NAME, known: false }
    }

    fn at_device(secret_hash: &str) -> Self {
        Self { who: format!("device:{secret_hash}"), allowance: OF_ONE, known: true }
    }

    /// Whether it is known to be somebody themselves.
    pub const fn known(&self) -> bool {
        self.known
    }
}

/// Why an act that takes the caller's own password was not done.
#[derive(Debug)]
pub enum NotTried {
    /// It was one try too many: seconds to wait.
    TooOften(u32),
    /// The password was wrong.
    Wrong(ServiceError),
    /// Something else.
    Otherwise(ServiceError),
}

impl Accounts {
    /// An act that takes the caller's own password, within the tries of their session: one that is wrong counts, one that is right does
    /// not. The fault of a wrong one is at `pointer`.
    pub async fn within_tries<T>(
        &self,
        caller: &Caller,
        pointer: &str,
        act: impl Future<Output = Answer<T>>,
    ) -> Result<T, NotTried> {
        let trying = Trying::within(caller);
        let wait = self.may_try(&trying).await.map_err(|error| NotTried::Otherwise(store_fault(error)))?;
        if let Some(seconds) = wait {
            return Err(NotTried::TooOften(seconds));
        }
        match act.await {
            Ok(done) => {
                self.tried_well(&trying).await;
                Ok(done)
            }
            Err(ServiceError::Invalid(faults)) if faults.iter().any(|fault| fault.pointer == pointer) => {
                Err(NotTried::Wrong(ServiceError::Invalid(faults)))
            }
            Err(error) => Err(NotTried::Otherwise(error)),
        }
    }

    /// Who tries to sign in under this name, by the browser whose device cookie has this hash.
    pub async fn trying(&self, name: &str, device: Option<&str>) -> Result<Trying, StoreError> {
        match device {
            Some(hash) if self.tries.knows_device(hash, name).await? => Ok(Trying::at_device(hash)),
            _ => Ok(Trying::of_name(name)),
        }
    }

    /// Counts a try. Seconds to wait where it is one too many; then it does not count.
    pub async fn may_try(&self, who: &Trying) -> Result<Option<u32>, StoreError> {
        let wait = self.tries.count_try(&who.who, who.allowance).await?;
        Ok(wait.map(|ms| u32::try_from(ms.saturating_add(999) / 1000).unwrap_or(u32::MAX)))
    }

    /// The password was right: nobody has guessed. That it can't be noted is no reason to turn somebody away.
    pub async fn tried_well(&self, who: &Trying) {
        if let Err(error) = self.tries.return_try(&who.who, who.allowance).await {
            tracing::warn!(%error, "a sign-in can't be taken off the tries");
        }
    }

    /// The browser by which this person has just signed in is known from now on: by the cookie that it has for it, or by a new one,
    /// which is answered.
    pub async fn know_device(&self, user_id: &str, device: Option<&str>) -> Result<Option<Secret>, StoreError> {
        if let Some(hash) = device {
            self.tries.note_device(hash, user_id).await?;
            return Ok(None);
        }
        let secret = new_session_secret();
        self.tries.note_device(&secret.hash, user_id).await?;
        Ok(Some(Secret(secret.secret)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_counted_as_one_however_it_is_written() {
        assert_eq!(Trying::of_name("Admin"), Trying::of_name("admin"));
        assert_ne!(Trying::of_name("admin"), Trying::of_name("mara"));
        assert_eq!(Trying::of_name(&"x".repeat(100_000)).who.len(), "name:".len() + FOLDED);
    }
}
