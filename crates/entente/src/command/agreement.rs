use crate::{operator, print, render};
use clap::Subcommand;
use node::{admin::Request, config};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// `entente agreement …`.
#[derive(Debug, Subcommand)]
pub(crate) enum AgreementCommand {
    /// Check the whole configuration directory, or one more agreement file against it; every fault at once.
    #[command(after_help = "Examples:\n  entente agreement check\n  entente agreement check draft/japan.toml")]
    Check {
        /// A file that is not in force yet.
        file: Option<PathBuf>,
    },
    /// What a new agreement file would release and withdraw, redacted copies included, before it takes effect.
    #[command(
        after_help = "Examples:\n  entente agreement preview agreements/japan.toml draft/japan.toml\n  entente agreement preview draft/new-partner.toml"
    )]
    Preview {
        /// The file in force (left out for a new partner), then the file that would take its place.
        #[arg(num_args = 1..=2, required = true, value_names = ["OLD", "NEW"])]
        files: Vec<PathBuf>,
    },
    /// Read the directory again and put it in force; tells what was released and withdrawn.
    #[command(after_help = "Example:\n  entente agreement apply")]
    Apply,
}

impl AgreementCommand {
    pub(super) fn run(self, dir: &Path, json: bool) -> Result<ExitCode, String> {
        let show = |value: &serde_json::Value| print(&if json { value.to_string() } else { render::text(value) });
        match self {
            Self::Check { file } => {
                let config = config::Config::load(dir).map_err(|e| e.to_string())?;
                let config = match file {
                    Some(file) => config.with_agreement(&super::absolute(&file)?).map_err(|e| e.to_string())?,
                    None => config,
                };
                let rows: Vec<serde_json::Value> = config
                    .agreements
                    .values()
                    .map(|f| &f.agreement)
                    .map(|a| {
                        let gives: Vec<&String> = a.give.iter().flat_map(|g| &g.collections).collect();
                        serde_json::json!({"agreement": a.agreement, "partner": a.partner, "from": a.from, "until": a.until, "gives": gives})
                    })
                    .collect();
                show(&rows.into());
            }
            Self::Preview { files } => {
                let Some(new) = files.last() else { return Err("name the new agreement file".to_owned()) };
                let after = config::read_agreement(new)?;
                let partner = &after.agreement.partner;
                let in_force = dir.join("agreements").join(format!("{partner}.toml"));
                match files.as_slice() {
                    [old, _] => {
                        let before = config::read_agreement(old)?;
                        if before.agreement.partner != *partner {
                            let with = &before.agreement.partner;
                            return Err(format!(
                                "`{}` is with `{with}`, `{}` with `{partner}`",
                                old.display(),
                                new.display()
                            ));
                        }
                        if before.digest != config::read_agreement(&in_force)?.digest {
                            return Err(format!(
                                "`{}` is not in force with `{partner}`; name agreements/{partner}.toml",
                                old.display()
                            ));
                        }
                    }
                    _ if in_force.exists() => {
                        return Err(format!(
                            "there is an agreement with `{partner}` in force; name it first: agreements/{partner}.toml"
                        ));
                    }
                    _ => {}
                }
                show(&operator::ask(dir, Request::Preview { path: super::absolute(new)? })?);
            }
            Self::Apply => show(&operator::ask(dir, Request::Reload)?),
        }
        Ok(ExitCode::SUCCESS)
    }
}
