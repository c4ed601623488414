//! Time and randomness, as parameters: the twin test holds them equal, the simulator drives them.
use std::sync::Arc;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Microseconds since 1970. May step back; nothing relies on its order.
    fn now(&self) -> i64;
}

/// Makes random bytes.
pub trait Randomness: Send + Sync {
    /// Thirty-two fresh bytes.
    fn bytes(&self) -> [u8; 32];

    /// A random UUID (version 4), from [`Self::bytes`].
    fn uuid(&self) -> uuid::Uuid {
        let bytes = self.bytes();
        let mut half = [0; 16];
        half.copy_from_slice(&bytes[..16]);
        uuid::Builder::from_random_bytes(half).into_uuid()
    }
}

/// What a node has of the world outside.
#[derive(Clone)]
pub struct Environment {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Randomness>,
}

impl Environment {
    /// The system's clock and random number generator.
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(SystemRandomness) }
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Environment")
    }
}

struct SystemClock;
impl Clock for SystemClock {
    fn now(&self) -> i64 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
    }
}

struct SystemRandomness;
impl Randomness for SystemRandomness {
    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        // A system without randomness must not go on with predictable secrets.
        #[allow(clippy::expect_used)]
        getrandom::fill(&mut bytes).expect("the system's random number generator answers");
        bytes
    }
}
