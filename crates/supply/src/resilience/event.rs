//! How likely a basic event is.

/// How a basic event fails. Times are hours, rates are per hour; probabilities are those of being failed at the mission time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Failure {
    /// Nothing is known: cut sets are found, and whatever needs a probability is refused with the event's name.
    #[default]
    Unknown,
    /// The probability of being failed, whatever the mission time.
    Probability(f64),
    /// The long-run fraction of time in which it works: it is failed with 1 − availability.
    Availability(f64),
    /// Fails at a constant rate λ and is not repaired: 1 − e^(−λt).
    Exponential {
        /// λ, failures per hour.
        rate_per_h: f64,
    },
    /// Fails at λ and is repaired at μ: λ/(λ+μ) · (1 − e^(−(λ+μ)t)).
    Repairable {
        /// λ, failures per hour.
        rate_per_h: f64,
        /// μ, repairs per hour: 1 / mean time to repair.
        repair_rate_per_h: f64,
    },
    /// The general failure law (GLM of Open-PSA): fails on demand with γ, at λ while it runs, and is repaired at μ.
    Demand {
        /// γ, the probability of failing when asked to start.
        on_demand: f64,
        /// λ, failures per hour.
        rate_per_h: f64,
        /// μ, repairs per hour.
        repair_rate_per_h: f64,
    },
    /// Weibull: 1 − e^(−((t−t₀)/scale)^shape), and 0 up to t₀.
    Weibull {
        /// Scale, hours.
        scale_h: f64,
        /// Shape, without unit.
        shape: f64,
        /// t₀, hours without failure.
        start_h: f64,
    },
}

/// Why a failure law is refused.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum FailureFault {
    /// Outside 0 to 1, or not a number.
    #[error("{0} is not a probability from 0 to 1")]
    Probability(f64),
    /// Negative, infinite or not a number.
    #[error("{0} is not a rate (per hour, not negative)")]
    Rate(f64),
    /// A scale or shape that is not above 0, or a time that is negative.
    #[error("{0} is not a scale, shape or time that a Weibull law can have")]
    Weibull(f64),
}

impl Failure {
    /// Refuses numbers that the law cannot have.
    pub fn check(&self) -> Result<(), FailureFault> {
        let probability = |p: f64| if (0.0..=1.0).contains(&p) { Ok(()) } else { Err(FailureFault::Probability(p)) };
        let rate = |r: f64| if r.is_finite() && r >= 0.0 { Ok(()) } else { Err(FailureFault::Rate(r)) };
        match *self {
            Self::Unknown => Ok(()),
            Self::Probability(p) | Self::Availability(p) => probability(p),
            Self::Exponential { rate_per_h } => rate(rate_per_h),
            Self::Repairable { rate_per_h, repair_rate_per_h } => rate(rate_per_h).and(rate(repair_rate_per_h)),
            Self::Demand { on_demand, rate_per_h, repair_rate_per_h } => {
                probability(on_demand).and(rate(rate_per_h)).and(rate(repair_rate_per_h))
            }
            Self::Weibull { scale_h, shape, start_h } => {
                let above = |x: f64| if x.is_finite() && x > 0.0 { Ok(()) } else { Err(FailureFault::Weibull(x)) };
                let start =
                    if start_h.is_finite() && start_h >= 0.0 { Ok(()) } else { Err(FailureFault::Weibull(start_h)) };
                above(scale_h).and(above(shape)).and(start)
            }
        }
    }

    /// The probability of being failed after `mission_h` hours; `None` if nothing is known.
    pub fn probability(&self, mission_h: f64) -> Option<f64> {
        // 1 − e^(−x), exact for small x too.
        let lost = |x: f64| -(-x).exp_m1();
        let p = match *self {
            Self::Unknown => return None,
            Self::Probability(p) => p,
            Self::Availability(a) => 1.0 - a,
            Self::Exponential { rate_per_h } => lost(rate_per_h * mission_h),
            Self::Repairable { rate_per_h, repair_rate_per_h } => demand(0.0, rate_per_h, repair_rate_per_h, mission_h),
            Self::Demand { on_demand, rate_per_h, repair_rate_per_h } => {
                demand(on_demand, rate_per_h, repair_rate_per_h, mission_h)
            }
            Self::Weibull { scale_h, shape, start_h } => {
                if mission_h <= start_h {
                    0.0
                } else {
                    lost(((mission_h - start_h) / scale_h).powf(shape))
                }
            }
        };
        Some(p.clamp(0.0, 1.0))
    }
}

/// λ/(λ+μ) + (γ − λ/(λ+μ)) e^(−(λ+μ)t), written so that small rates lose no digits.
fn demand(on_demand: f64, rate: f64, repair: f64, hours: f64) -> f64 {
    let sum = rate + repair;
    if sum == 0.0 {
        return on_demand;
    }
    let gone = -(-sum * hours).exp_m1();
    on_demand * (1.0 - gone) + rate / sum * gone
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn close(a: Option<f64>, b: f64) {
        assert!((a.unwrap() - b).abs() <= 1e-15 + b.abs() * 1e-12, "{a:?} {b}");
    }

    #[test]
    fn laws_give_the_probability_at_the_mission_time() {
        close(Failure::Probability(0.25).probability(9.0), 0.25);
        close(Failure::Availability(0.75).probability(9.0), 0.25);
        close(Failure::Exponential { rate_per_h: 1e-3 }.probability(1000.0), 0.632_120_558_828_557_7);
        close(Failure::Exponential { rate_per_h: 1e-12 }.probability(1.0), 1e-12);
        // Without repair the repairable law is the exponential one; after long, λ/(λ+μ).
        let law = |repair_rate_per_h| Failure::Repairable { rate_per_h: 1e-3, repair_rate_per_h };
        close(law(0.0).probability(1000.0), 0.632_120_558_828_557_7);
        close(law(9e-3).probability(1e9), 0.1);
        let start = Failure::Demand { on_demand: 0.2, rate_per_h: 0.0, repair_rate_per_h: 0.0 };
        close(start.probability(5.0), 0.2);
        close(
            Failure::Weibull { scale_h: 1000.0, shape: 1.0, start_h: 0.0 }.probability(1000.0),
            0.632_120_558_828_557_7,
        );
        close(Failure::Weibull { scale_h: 1000.0, shape: 2.0, start_h: 10.0 }.probability(10.0), 0.0);
        assert_eq!(Failure::Unknown.probability(1.0), None);
    }

    #[test]
    fn numbers_that_a_law_cannot_have_are_refused() {
        assert_eq!(Failure::Probability(1.5).check(), Err(FailureFault::Probability(1.5)));
        assert!(Failure::Probability(f64::NAN).check().is_err());
        assert_eq!(Failure::Exponential { rate_per_h: -1.0 }.check(), Err(FailureFault::Rate(-1.0)));
        assert!(Failure::Repairable { rate_per_h: 0.0, repair_rate_per_h: f64::INFINITY }.check().is_err());
        assert_eq!(
            Failure::Weibull { scale_h: 0.0, shape: 1.0, start_h: 0.0 }.check(),
            Err(FailureFault::Weibull(0.0))
        );
        assert_eq!(Failure::Probability(1.0).check(), Ok(()));
    }
}
