//! Bounded calls into the node: blocking work on blocking threads, so many at once, so many for one account.

use crate::limits::{
    BODIES_MAX, BODIES_PER_ACCOUNT_MAX, CALL_TIMEOUT_S, CALLS_MAX, CALLS_PER_ACCOUNT_MAX, QUEUE_TIMEOUT_S,
    RATE_BURST_S, SIGN_INS_MAX,
};
use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use taxii::error::TaxiiError;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// Seconds after which an account with all its places in use may come back.
const ACCOUNT_RETRY_AFTER_S: u32 = 5;

#[derive(Debug)]
pub(crate) struct Gate {
    calls: Arc<Semaphore>,
    sign_ins: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    /// Only names that signed in get in here, so it has as many entries as there are accounts.
    accounts: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// The same for bodies.
    account_bodies: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// Time between two requests of an account at the highest rate.
    interval: Option<Duration>,
    /// For each account the instant until which its requests so far last at that rate.
    rates: Mutex<HashMap<String, Instant>>,
}

impl Gate {
    /// `requests_per_s`: of one account, at the most.
    pub(crate) fn new(requests_per_s: Option<NonZeroU32>) -> Self {
        Self {
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
            sign_ins: Arc::new(Semaphore::new(SIGN_INS_MAX)),
            bodies: Arc::new(Semaphore::new(BODIES_MAX)),
            accounts: Mutex::default(),
            account_bodies: Mutex::default(),
            interval: requests_per_s.map(|rate| Duration::from_secs(1) / rate.get()),
            rates: Mutex::default(),
        }
    }

    /// Counts a request of this account; 429 if it has asked too much over the last [`RATE_BURST_S`] (the generic cell rate algorithm). What others ask does not count.
    pub(crate) fn rate(&self, name: &str) -> Result<(), TaxiiError> {
        let Some(interval) = self.interval else { return Ok(()) };
        let (now, burst) = (Instant::now(), Duration::from_secs(RATE_BURST_S.into()));
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let until = rates.get(name).copied().map_or(now, |until| until.max(now));
        let ahead = until.duration_since(now);
        if let Some(over) = ahead.checked_sub(burst).filter(|over| !over.is_zero()) {
            let retry_after_s = u32::try_from(over.as_secs() + 1).unwrap_or(u32::MAX);
            return Err(TaxiiError::TooManyRequests { retry_after_s });
        }
        match rates.get_mut(name) {
            Some(known) => *known = until + interval,
            None => drop(rates.insert(name.to_owned(), until + interval)),
        }
        Ok(())
    }

    /// Runs a sign-in.
    pub(crate) async fn sign_in<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> Result<T, TaxiiError> + Send + 'static,
    ) -> Result<T, TaxiiError> {
        let place = place(&self.sign_ins, TaxiiError::Unavailable).await?;
        run(place, call).await
    }

    /// Waits for a place of this account; the request keeps it until it is answered.
    pub(crate) async fn account(&self, name: &str) -> Result<OwnedSemaphorePermit, TaxiiError> {
        let places = places_of(&self.accounts, name, CALLS_PER_ACCOUNT_MAX);
        place(&places, TaxiiError::TooManyRequests { retry_after_s: ACCOUNT_RETRY_AFTER_S }).await
    }

    /// Waits for a place for a body of this account; the request keeps it until it is answered.
    pub(crate) async fn body(&self, name: &str) -> Result<[OwnedSemaphorePermit; 2], TaxiiError> {
        let full = TaxiiError::TooManyRequests { retry_after_s: ACCOUNT_RETRY_AFTER_S };
        let own = place(&places_of(&self.account_bodies, name, BODIES_PER_ACCOUNT_MAX), full).await?;
        Ok([own, place(&self.bodies, TaxiiError::Unavailable).await?])
    }

    /// Runs a call.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> Result<T, TaxiiError> + Send + 'static,
    ) -> Result<T, TaxiiError> {
        let place = place(&self.calls, TaxiiError::Unavailable).await?;
        run(place, call).await
    }
}

/// The places of an account, made at its first request.
fn places_of(accounts: &Mutex<HashMap<String, Arc<Semaphore>>>, name: &str, count: usize) -> Arc<Semaphore> {
    let mut accounts = accounts.lock().unwrap_or_else(PoisonError::into_inner);
    match accounts.get(name) {
        Some(places) => Arc::clone(places),
        None => Arc::clone(accounts.entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(count)))),
    }
}

async fn place(places: &Arc<Semaphore>, full: TaxiiError) -> Result<OwnedSemaphorePermit, TaxiiError> {
    match tokio::time::timeout(Duration::from_secs(QUEUE_TIMEOUT_S), Arc::clone(places).acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(full),
    }
}

/// The place is given back when the call ends, not when the client goes away: what runs, counts.
async fn run<T: Send + 'static>(
    place: OwnedSemaphorePermit,
    call: impl FnOnce() -> Result<T, TaxiiError> + Send + 'static,
) -> Result<T, TaxiiError> {
    let running = tokio::task::spawn_blocking(move || {
        let _place = place;
        call()
    });
    match tokio::time::timeout(Duration::from_secs(CALL_TIMEOUT_S), running).await {
        Ok(Ok(result)) => result,
        Ok(Err(failed)) => {
            tracing::error!(error = %failed, "a call into the node did not end");
            Err(TaxiiError::Internal)
        }
        Err(_) => Err(TaxiiError::Unavailable),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Ten seconds' worth at once, then the rate; each account for itself.
    #[tokio::test(start_paused = true)]
    async fn an_account_that_asks_too_much_is_told_when_to_come_back_while_others_go_on() {
        let gate = Gate::new(NonZeroU32::new(10));
        let burst = 10 * RATE_BURST_S;
        for _ in 0..=burst {
            gate.rate("a").unwrap();
        }
        assert_eq!(gate.rate("a"), Err(TaxiiError::TooManyRequests { retry_after_s: 1 }));
        gate.rate("b").unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..10 {
            gate.rate("a").unwrap();
        }
        assert!(gate.rate("a").is_err());
        tokio::time::advance(Duration::from_secs(3_600)).await;
        for _ in 0..=burst {
            gate.rate("a").unwrap();
        }
        assert!(gate.rate("a").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_with_all_its_places_in_use_waits_and_is_told_to_come_back_while_others_go_on() {
        let gate = Gate::new(None);
        let mut held = Vec::new();
        for _ in 0..CALLS_PER_ACCOUNT_MAX {
            held.push(gate.account("a").await.unwrap());
        }
        let begun = Instant::now();
        assert_eq!(
            gate.account("a").await.unwrap_err(),
            TaxiiError::TooManyRequests { retry_after_s: ACCOUNT_RETRY_AFTER_S }
        );
        assert_eq!(begun.elapsed().as_secs(), QUEUE_TIMEOUT_S);
        drop(gate.account("b").await.unwrap());
        held.pop();
        drop(gate.account("a").await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_beyond_the_bound_wait_and_are_then_unavailable() {
        let gate = Gate::new(None);
        let mut held = Vec::new();
        for i in 0..BODIES_MAX {
            held.push(gate.body(&i.to_string()).await.unwrap());
        }
        assert_eq!(gate.body("last").await.unwrap_err(), TaxiiError::Unavailable);
    }

    /// One account that sends its bodies slowly does not keep the others from sending theirs.
    #[tokio::test(start_paused = true)]
    async fn an_account_cannot_take_all_places_for_bodies() {
        let gate = Gate::new(None);
        let mut held = Vec::new();
        for _ in 0..BODIES_PER_ACCOUNT_MAX {
            held.push(gate.body("a").await.unwrap());
        }
        let full = TaxiiError::TooManyRequests { retry_after_s: ACCOUNT_RETRY_AFTER_S };
        assert_eq!(gate.body("a").await.unwrap_err(), full);
        drop(gate.body("b").await.unwrap());
        held.pop();
        drop(gate.body("a").await.unwrap());
    }

    /// A place counts until its call ends, also when nobody waits for the answer any more.
    #[tokio::test]
    async fn a_call_keeps_its_place_when_the_client_goes_away() {
        let gate = Gate::new(None);
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        {
            let call = gate.call(move || {
                let _ = blocked.recv();
                Ok(())
            });
            assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err());
        }
        assert_eq!(gate.calls.available_permits(), CALLS_MAX - 1);
        release.send(()).unwrap();
        while gate.calls.available_permits() < CALLS_MAX {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
