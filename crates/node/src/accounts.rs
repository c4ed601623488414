//! Signing in: argon2id passwords, API tokens, and the limits on trying.
//!
//! A password is checked once and then remembered under a hash keyed with a secret of this process, until its account changes. Tokens are 256 random
//! bits, kept as keyed hashes. Failed attempts are counted per address and per account before anything is hashed. An unknown account costs the same
//! hash as a wrong password, so that time does not tell which accounts exist.

use crate::{Node, NodeError, environment::Randomness, world::World};
use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{PasswordHash, PasswordHasher as _, Salt, SaltString},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};
use store::Account;
use subtle::ConstantTimeEq as _;
use taxii::{error::TaxiiError, server::Credentials};

/// Failed attempts per account within [`FAILED_WINDOW_US`], then refused unseen: a person mistypes a few times, a guesser hundreds.
pub const FAILED_PER_ACCOUNT_MAX: u32 = 10;
/// Failed attempts per address within the window; higher, because many people may share one address.
pub const FAILED_PER_ADDRESS_MAX: u32 = 30;
/// Window of the counts, in microseconds: one minute.
pub const FAILED_WINDOW_US: i64 = 60_000_000;
/// Names and addresses counted at once; the oldest window is dropped first, so that guessing names cannot fill memory.
pub const FAILED_TRACKED_MAX: usize = 10_000;
/// Bytes of a user name, password or token that are looked at; longer ones are wrong.
pub const CREDENTIAL_BYTES_MAX: usize = 1_024;
/// Credentials remembered at once.
pub const REMEMBERED_MAX: usize = 10_000;
/// Passwords hashed, whose memory (19 MiB each) is kept for the next ones: as many as are hashed at once.
const HASH_MEMORIES_MAX: usize = 8;
/// Bytes of a password at the least; the operator's tool refuses shorter ones.
pub const PASSWORD_BYTES_MIN: usize = 12;

type Keyed = [u8; 32];

/// What sign-in remembers.
pub(crate) struct SignIn {
    token_key: Keyed,
    process_key: Keyed,
    remembered: Mutex<HashMap<Keyed, String>>,
    failed: Mutex<HashMap<String, (i64, u32)>>,
    decoy: String,
    /// What passwords were hashed in and will be: left to the allocator, each thread that ever hashed one would keep as much.
    memories: Mutex<Vec<Vec<Block>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keyed(key: &Keyed, parts: &[&[u8]]) -> Keyed {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn hash_password(password: &str, salt: &[u8]) -> Result<String, NodeError> {
    let wrong = |e: argon2::password_hash::Error| NodeError::Refused(format!("the password cannot be hashed: {e}"));
    let salt = SaltString::encode_b64(salt).map_err(wrong)?;
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt).map_err(wrong)?.to_string())
}

/// A password as it is stored: a PHC string, argon2id with the library's recommended cost.
pub fn stored_password(password: &str, random: &dyn Randomness) -> Result<String, NodeError> {
    if password.len() < PASSWORD_BYTES_MIN || password.len() > CREDENTIAL_BYTES_MAX {
        return Err(NodeError::Refused(format!(
            "a password has {PASSWORD_BYTES_MIN} to {CREDENTIAL_BYTES_MAX} bytes; leave it out to have one made"
        )));
    }
    hash_password(password, &random.bytes()[..16])
}

/// A new API token: 256 random bits in text.
pub fn new_token(random: &dyn Randomness) -> String {
    format!("ent_{}", BASE64_URL_SAFE_NO_PAD.encode(random.bytes()))
}

/// The stored form of a client certificate, among the API tokens of an account: no stored token looks like it.
pub(crate) fn stored_certificate(digest: &[u8; 32]) -> String {
    format!("certificate:{}", BASE64_URL_SAFE_NO_PAD.encode(digest))
}

/// The SHA-256 of the one certificate in a PEM text, in DER form.
pub(crate) fn certificate_digest(pem: &str) -> Result<[u8; 32], NodeError> {
    let mut found = CertificateDer::pem_slice_iter(pem.as_bytes());
    match (found.next(), found.next()) {
        (Some(Ok(certificate)), None) => Ok(Sha256::digest(certificate.as_ref()).into()),
        _ => Err(NodeError::Refused(
            "the file must hold one certificate in PEM form: the client's own, without its chain".to_owned(),
        )),
    }
}

impl SignIn {
    pub(crate) fn new(token_key: Keyed, process_key: Keyed) -> Self {
        let decoy = hash_password("no account has this password", &process_key[..16]).unwrap_or_default();
        Self {
            token_key,
            process_key,
            remembered: Mutex::default(),
            failed: Mutex::default(),
            decoy,
            memories: Mutex::default(),
        }
    }

    /// The stored form of an API token.
    pub(crate) fn stored_token(&self, token: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(keyed(&self.token_key, &[token.as_bytes()]))
    }

    /// Drops what is remembered of an account.
    pub(crate) fn forget(&self, account: &str) {
        lock(&self.remembered).retain(|_, name| name != account);
    }

    /// Under what name a password is remembered. It holds the stored hash, so that a check that was under way while the password changed remembers nothing
    /// that counts; and the address, so that guesses from elsewhere do not profit from a sign-in while the limits are reached.
    fn remembered_as(&self, user: &str, password: &str, stored: Option<&str>, from: IpAddr) -> Keyed {
        let from = from.to_string();
        let parts = [user, password, stored.unwrap_or_default(), &from].map(str::as_bytes);
        keyed(&self.process_key, &parts)
    }

    fn check(&self, world: &World, credentials: &Credentials, from: IpAddr) -> Option<String> {
        match credentials {
            Credentials::Basic { user, password } => {
                if user.len() > CREDENTIAL_BYTES_MAX || password.len() > CREDENTIAL_BYTES_MAX {
                    return None;
                }
                let usable = world.accounts.get(user).filter(|a| !a.disabled);
                let stored = usable.and_then(|a| a.password.as_deref());
                let key = self.remembered_as(user, password, stored, from);
                if stored.is_some() && lock(&self.remembered).contains_key(&key) {
                    return Some(user.clone());
                }
                let hash = PasswordHash::new(stored.unwrap_or(&self.decoy)).ok()?;
                let right = self.verifies(password, &hash) && stored.is_some();
                if right {
                    let mut remembered = lock(&self.remembered);
                    if remembered.len() >= REMEMBERED_MAX {
                        remembered.clear();
                    }
                    remembered.insert(key, user.clone());
                }
                right.then(|| user.clone())
            }
            Credentials::Certificate(digest) => {
                let stored = stored_certificate(digest);
                let has = |account: &&Account| {
                    !account.disabled && account.tokens.iter().any(|(_, secret)| *secret == stored)
                };
                // One certificate is of one account; `change_user` sees to that.
                world.accounts.values().find(has).map(|account| account.name.clone())
            }
            Credentials::Token(token) => {
                if token.len() > CREDENTIAL_BYTES_MAX {
                    return None;
                }
                let stored = self.stored_token(token);
                let mut found = None;
                for account in world.accounts.values().filter(|a| !a.disabled) {
                    for (_, hash) in &account.tokens {
                        if bool::from(hash.as_bytes().ct_eq(stored.as_bytes())) {
                            found = Some(account.name.clone());
                        }
                    }
                }
                found
            }
        }
    }

    /// Whether a password has this hash, by the parameters that stand with it.
    fn verifies(&self, password: &str, stored: &PasswordHash<'_>) -> bool {
        let version = stored.version.map_or(Ok(Version::default()), Version::try_from);
        let (Ok(algorithm), Ok(version), Ok(params), Some(salt), Some(expected)) =
            (Algorithm::try_from(stored.algorithm), version, Params::try_from(stored), stored.salt, stored.hash)
        else {
            return false;
        };
        let mut bytes = [0; Salt::MAX_LENGTH];
        let Ok(salt) = salt.decode_b64(&mut bytes) else { return false };
        let argon = Argon2::new(algorithm, version, params);
        let mut memory = lock(&self.memories).pop().unwrap_or_default();
        memory.resize(argon.params().block_count(), Block::default());
        let mut found = vec![0; expected.len()];
        let hashed = argon.hash_password_into_with_memory(password.as_bytes(), salt, &mut found, &mut memory);
        let mut memories = lock(&self.memories);
        if memories.len() < HASH_MEMORIES_MAX {
            memories.push(memory);
        }
        hashed.is_ok() && bool::from(found.ct_eq(expected.as_bytes()))
    }

    /// Signs in what costs no password hash: a password that is remembered, a token, a certificate.
    fn recall(&self, world: &World, credentials: &Credentials, from: IpAddr) -> Option<String> {
        let Credentials::Basic { user, password } = credentials else { return self.check(world, credentials, from) };
        if user.len() > CREDENTIAL_BYTES_MAX || password.len() > CREDENTIAL_BYTES_MAX {
            return None;
        }
        let stored = world.accounts.get(user).filter(|a| !a.disabled).and_then(|a| a.password.as_deref())?;
        let key = self.remembered_as(user, password, Some(stored), from);
        lock(&self.remembered).get(&key).cloned()
    }

    fn failures(&self, key: &str, now: i64) -> u32 {
        match lock(&self.failed).get(key) {
            // A clock that stepped back keeps the count: it must not open the door.
            Some((since, count)) if now < since.saturating_add(FAILED_WINDOW_US) => *count,
            _ => 0,
        }
    }

    fn failed(&self, key: String, now: i64) {
        let mut failed = lock(&self.failed);
        if failed.len() >= FAILED_TRACKED_MAX && !failed.contains_key(&key) {
            failed.retain(|_, (since, _)| now < since.saturating_add(FAILED_WINDOW_US));
            if failed.len() >= FAILED_TRACKED_MAX
                && let Some(oldest) = failed.iter().min_by_key(|(_, (since, _))| *since).map(|(k, _)| k.clone())
            {
                failed.remove(&oldest);
            }
        }
        let entry = failed.entry(key).or_insert((now, 0));
        if now >= entry.0.saturating_add(FAILED_WINDOW_US) {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
    }
}

impl Node {
    /// Signs in as far as memory tells; `None` counts as nothing, and [`Self::sign_in`] decides.
    pub(crate) fn recall(&self, credentials: &Credentials, from: IpAddr) -> Option<String> {
        self.sign_in.recall(&self.world(), credentials, from)
    }

    /// Signs in. `Unauthenticated` for anything wrong, `TooManyRequests` before hashing once the limits are reached; what is already remembered still gets in.
    pub fn sign_in(&self, credentials: Option<&Credentials>, from: IpAddr) -> Result<String, TaxiiError> {
        let credentials = credentials.ok_or(TaxiiError::Unauthenticated)?;
        let now = self.now();
        let world = self.world();
        let by_address = format!("address {from}");
        let by_account = match credentials {
            Credentials::Basic { user, .. } => Some(format!("account {}", user.chars().take(128).collect::<String>())),
            Credentials::Token(_) | Credentials::Certificate(_) => None,
        };
        let remembered = match credentials {
            Credentials::Basic { user, password } => {
                let stored = world.accounts.get(user).and_then(|a| a.password.as_deref());
                let key = self.sign_in.remembered_as(user, password, stored, from);
                lock(&self.sign_in.remembered).contains_key(&key)
            }
            // Looking a token up costs no hash worth guarding, and 256 bits cannot be guessed; nor can a private key.
            Credentials::Token(_) | Credentials::Certificate(_) => true,
        };
        let over = self.sign_in.failures(&by_address, now) >= FAILED_PER_ADDRESS_MAX
            || by_account.as_ref().is_some_and(|key| self.sign_in.failures(key, now) >= FAILED_PER_ACCOUNT_MAX);
        if over && !remembered {
            return Err(TaxiiError::TooManyRequests {
                retry_after_s: u32::try_from(FAILED_WINDOW_US / 1_000_000).unwrap_or(60),
            });
        }
        if let Some(account) = self.sign_in.check(&world, credentials, from) {
            return Ok(account);
        }
        self.sign_in.failed(by_address, now);
        if let Some(key) = by_account {
            self.sign_in.failed(key, now);
        }
        Err(TaxiiError::Unauthenticated)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    struct Counted(std::sync::atomic::AtomicU8);
    impl Randomness for Counted {
        fn bytes(&self) -> [u8; 32] {
            [self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed); 32]
        }
    }

    fn random() -> Counted {
        Counted(std::sync::atomic::AtomicU8::new(1))
    }

    #[test]
    fn a_token_is_kept_only_as_a_hash_under_the_nodes_key() {
        let token = new_token(&random());
        let (one, other) = (SignIn::new([1; 32], [3; 32]), SignIn::new([2; 32], [3; 32]));
        assert!(!one.stored_token(&token).contains(&token));
        assert_eq!(one.stored_token(&token), one.stored_token(&token));
        assert_ne!(one.stored_token(&token), other.stored_token(&token));
        assert_ne!(one.stored_token(&token), one.stored_token(&format!("{token}x")));
    }

    #[test]
    fn a_password_is_kept_as_argon2id_and_has_bounds() {
        let stored = stored_password("a long enough password", &random()).unwrap();
        assert!(stored.starts_with("$argon2id$"), "{stored}");
        assert!(stored_password(&"x".repeat(PASSWORD_BYTES_MIN), &random()).is_ok());
        assert!(stored_password(&"x".repeat(PASSWORD_BYTES_MIN - 1), &random()).is_err());
        assert!(stored_password(&"x".repeat(CREDENTIAL_BYTES_MAX + 1), &random()).is_err());
    }

    /// The library's own hashes are verified, whatever parameters stand with them, wrong ones are not, and no more memory is kept than is used at once.
    #[test]
    fn a_password_is_verified_in_memory_that_is_used_again() {
        let sign_in = SignIn::new([1; 32], [2; 32]);
        let other = Argon2::new(Algorithm::Argon2i, Version::V0x10, Params::new(64, 2, 2, Some(20)).unwrap());
        let salt = SaltString::encode_b64(&[7; 16]).unwrap();
        for argon in [Argon2::default(), other] {
            let stored = argon.hash_password(b"right", &salt).unwrap().to_string();
            let stored = PasswordHash::new(&stored).unwrap();
            assert!(sign_in.verifies("right", &stored) && !sign_in.verifies("wrong", &stored), "{stored}");
        }
        let nothing = "$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw";
        assert!(!sign_in.verifies("right", &PasswordHash::new(nothing).unwrap()));
        assert_eq!(lock(&sign_in.memories).len(), 1);
        std::thread::scope(|scope| {
            for _ in 0..2 * HASH_MEMORIES_MAX {
                scope.spawn(|| sign_in.verifies("x", &PasswordHash::new(&sign_in.decoy).unwrap()));
            }
        });
        assert!((1..=HASH_MEMORIES_MAX).contains(&lock(&sign_in.memories).len()));
    }

    #[test]
    fn failures_are_counted_within_their_window_and_a_clock_that_steps_back_does_not_forgive() {
        let sign_in = SignIn::new([1; 32], [2; 32]);
        for _ in 0..FAILED_PER_ACCOUNT_MAX {
            sign_in.failed("account a".to_owned(), 1_000);
        }
        assert_eq!(sign_in.failures("account a", 1_000), FAILED_PER_ACCOUNT_MAX);
        assert_eq!(sign_in.failures("account a", -5_000), FAILED_PER_ACCOUNT_MAX);
        assert_eq!(sign_in.failures("account a", 1_000 + FAILED_WINDOW_US), 0);
        assert_eq!(sign_in.failures("account b", 1_000), 0);
    }

    #[test]
    fn guessing_names_does_not_fill_memory() {
        let sign_in = SignIn::new([1; 32], [2; 32]);
        for n in 0..=FAILED_TRACKED_MAX {
            sign_in.failed(format!("account {n}"), i64::try_from(n).unwrap());
        }
        assert_eq!(lock(&sign_in.failed).len(), FAILED_TRACKED_MAX);
        assert_eq!(sign_in.failures("account 0", 1), 0, "the oldest went first");
    }
}
