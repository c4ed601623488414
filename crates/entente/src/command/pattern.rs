//! `entente pattern …`.

use super::NO_PATTERN;
use crate::{eprint, print};
use clap::{Subcommand, ValueEnum};
use serde_json::json;
use std::{io::Read as _, process::ExitCode};
use stix::pattern::{PATTERN_BYTES_MAX, PatternError, Position, Severity, Version, parse_version};

/// `entente pattern …`.
#[derive(Debug, Subcommand)]
pub(crate) enum PatternCommand {
    /// Check a STIX pattern: grammar, then what can never match or others may refuse. Exit code 0 valid, 6 no pattern.
    #[command(
        after_help = "Examples:\n  entente pattern check \"[file:name = 'x.exe'] WITHIN 5 SECONDS\"\n  entente pattern check --json - < pattern.txt\n\nPrints the pattern in its canonical spelling; findings go to standard error. With --json one object: valid, error, position (offset in bytes, line, column), canonical, never (it can never match), findings."
    )]
    Check {
        /// The pattern; `-` reads it from standard input.
        pattern: String,
        /// The version of STIX that it is written in: in 2.0, START and STOP take strings.
        #[arg(long, value_enum, default_value_t)]
        stix_version: StixVersion,
    },
}

/// The version of a pattern.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum StixVersion {
    /// STIX 2.0.
    #[value(name = "2.0")]
    V20,
    /// STIX 2.1.
    #[default]
    #[value(name = "2.1")]
    V21,
}

impl From<StixVersion> for Version {
    fn from(version: StixVersion) -> Self {
        match version {
            StixVersion::V20 => Self::V20,
            StixVersion::V21 => Self::V21,
        }
    }
}

impl PatternCommand {
    pub(super) fn run(self, json: bool) -> Result<ExitCode, String> {
        let Self::Check { pattern, stix_version } = self;
        let text = if pattern == "-" { standard_input()? } else { pattern };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let place = |at: Position| json!({"offset": at.offset, "line": at.line, "column": at.column});
        let pattern = match parse_version(text, stix_version.into()) {
            Ok(pattern) => pattern,
            Err(error) => {
                if json {
                    let error = json!({"valid": false, "error": error.message, "position": place(error.position)});
                    print(&error.to_string());
                } else {
                    eprint(&shown(&error));
                }
                return Ok(ExitCode::from(NO_PATTERN));
            }
        };
        let report = pattern.lint();
        if json {
            let finding = |f: &stix::pattern::Finding| {
                json!({"never": f.severity == Severity::Never, "message": f.message, "requirement": f.requirement,
                       "position": place(Position::of(text, f.span.start))})
            };
            let findings: Vec<_> = report.findings.iter().map(finding).collect();
            let answer = json!({"valid": true, "error": null, "position": null, "canonical": pattern.to_string(),
                                "never": report.never, "findings": findings});
            print(&answer.to_string());
        } else {
            print(&pattern.to_string());
            for finding in &report.findings {
                let kind = if finding.severity == Severity::Never { "can never match" } else { "advice" };
                let at = Position::of(text, finding.span.start);
                eprint(&format!("{kind}: {} at line {}, column {}", finding.message, at.line, at.column));
            }
            if report.never {
                eprint("the pattern as a whole can never match");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// An error with its place marked.
pub(super) fn shown(error: &PatternError) -> String {
    format!("{error}\n{}", error.excerpt())
}

fn standard_input() -> Result<String, String> {
    let mut text = String::new();
    // One byte more than a pattern and its line feed may have, so that a longer one is refused as such.
    let limit = PATTERN_BYTES_MAX as u64 + 2;
    std::io::stdin().take(limit).read_to_string(&mut text).map_err(|e| format!("standard input: {e}"))?;
    Ok(text)
}
