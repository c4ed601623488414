//! Stopping long work: Ctrl-C, a time budget, and progress on standard error.

use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::IsTerminal as _,
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use supply::resilience::{Progress, Stage};

/// Watches over long work. The first Ctrl-C asks it to end with what it has; a second one ends the program.
pub(super) struct Watch {
    started: Instant,
    budget: Option<Duration>,
    interrupted: Arc<AtomicBool>,
    bar: Option<ProgressBar>,
}

impl Watch {
    /// Begins to watch; `seconds` is the budget.
    pub(super) fn new(seconds: Option<f64>) -> Result<Self, String> {
        let budget = match seconds {
            None => None,
            Some(s) => {
                Some(Duration::try_from_secs_f64(s).map_err(|_| "--seconds must be a number from 0".to_owned())?)
            }
        };
        let interrupted = Arc::new(AtomicBool::new(false));
        listen(Arc::clone(&interrupted));
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Ok(Self { started: Instant::now(), budget, interrupted, bar })
    }

    /// To be called by long work.
    pub(super) fn go_on(&self, progress: &Progress) -> ControlFlow<()> {
        if let Some(bar) = &self.bar {
            let doing = match progress.stage {
                Stage::Diagram => "building the decision diagram",
                Stage::CutSets => "taking the cut sets from it",
                Stage::Limited => "cut sets up to an order",
                Stage::Hardening => "looking for the smallest hardening",
            };
            let Progress { modules_done, modules, order_done, .. } = progress;
            let done = match *order_done {
                0 => String::new(),
                u32::MAX => "; all orders known".to_owned(),
                order => format!("; complete up to order {order}"),
            };
            bar.set_message(format!(
                "{doing}: part {modules_done} of {modules}{done} (Ctrl-C for what is known so far)"
            ));
            bar.tick();
        }
        let over = self.budget.is_some_and(|b| self.started.elapsed() >= b);
        if over || self.interrupted.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Seconds since the start.
    pub(super) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Whether the user asked to stop.
    pub(super) fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Waits for Ctrl-C in a thread of its own, which ends with the program.
fn listen(interrupted: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if interrupted.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
                crate::eprint("entente: stopping; what is known so far follows (Ctrl-C again to end at once)");
            }
        });
    });
}
