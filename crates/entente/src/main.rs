//! `entente`: one organisation's node, in one file.
//!
//! Data on standard output, everything else on standard error; `--json` everywhere. Exit codes: 0 done; 1 failed; 2 wrong usage; 3 `explain`: withheld;
//! 4 `doctor`, `audit verify`, `validate`: faults found, `convert`: refused objects; 5 `demo --once`: a node does not hold what the oracle says;
//! 6 `pattern check`: no pattern.

mod admin_socket;
mod command;
mod demo;
mod durable;
mod operator;
mod render;
mod serve;
mod signing;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Everything that this program makes (store, socket, exports, copies) is for its own user alone.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let line = command::Line::parse();
    match command::run(line) {
        Ok(code) => code,
        Err(error) => {
            eprint(&format!("entente: {error}"));
            ExitCode::from(command::FAILED)
        }
    }
}

/// The one place that writes to standard error.
#[allow(clippy::print_stderr)]
pub(crate) fn eprint(text: &str) {
    eprintln!("{text}");
}

/// The one place that writes to standard output, with [`print_from`].
#[allow(clippy::print_stdout)]
pub(crate) fn print(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    // A reader that went away (`| head`) is no failure of ours.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n"));
}

/// The same for what is too long to be held, with a line end behind it.
#[allow(clippy::print_stdout)]
pub(crate) fn print_from(text: &mut dyn std::io::Read) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let _ = std::io::copy(text, &mut out).and_then(|_| out.write_all(b"\n"));
}
