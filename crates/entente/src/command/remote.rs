//! A TAXII server by others (or ours), as the stand-alone commands reach it.

use clap::Args;
use node::federation::Http;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use taxii::{
    client::{Client, ClientError, EXCHANGE_TIMEOUT_S},
    resource::Collection,
    server::Credentials,
};

/// Octets of a file that holds a secret.
const SECRET_BYTES_MAX: u64 = 4_096;

/// Where the server is and who asks. A secret never stands on the command line, where other users of the machine can read it.
#[derive(Debug, Args)]
pub(crate) struct Remote {
    /// Discovery URL, base URL, or the URL of one API root.
    url: String,
    /// Account, for HTTP Basic; its password comes from --password-file or ENTENTE_PASSWORD.
    #[arg(long)]
    user: Option<String>,
    /// File with the password.
    #[arg(long, requires = "user")]
    password_file: Option<PathBuf>,
    /// File with an API token, instead of an account; or ENTENTE_TOKEN.
    #[arg(long, conflicts_with = "user")]
    token_file: Option<PathBuf>,
    /// PEM file with the certificates that vouch for the server instead of the public authorities: its own authority, or itself (pinned).
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Proxy to go through, as http://, https:// or socks5:// URL; user and password in it if it wants them. None of the usual variables is read.
    #[arg(long, env = "ENTENTE_PROXY", hide_env_values = true)]
    proxy: Option<String>,
    /// Seconds that one exchange may take.
    #[arg(long, default_value_t = EXCHANGE_TIMEOUT_S, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    timeout: u32,
    /// Speak plain HTTP beyond loopback addresses. Account and content can be read on the way.
    #[arg(long)]
    plain_http: bool,
    /// Seconds to wait in all when the server asks to come back later.
    #[arg(long, default_value_t = 600)]
    patience: u64,
}

impl Remote {
    /// A client of the server; nothing is sent yet.
    pub(crate) fn client(&self) -> Result<Client<Http>, String> {
        let from_file_or_env = |file: &Option<PathBuf>, variable: &str| match file {
            Some(file) => read_secret(file).map(Some),
            None => Ok(std::env::var(variable).ok()),
        };
        let credentials = match &self.user {
            Some(user) => {
                let password = from_file_or_env(&self.password_file, "ENTENTE_PASSWORD")?;
                let password = password.ok_or("give --password-file, or set ENTENTE_PASSWORD")?;
                Some(Credentials::Basic { user: user.clone(), password })
            }
            None => from_file_or_env(&self.token_file, "ENTENTE_TOKEN")?.map(Credentials::Token),
        };
        let http = Http::through(self.ca.as_deref(), self.proxy.as_deref()).map_err(|e| e.to_string())?;
        let client = Client::new(http, &self.url, credentials, self.plain_http).map_err(|e| e.to_string())?;
        Ok(client.with_timeout_s(self.timeout))
    }

    /// Every collection that the account is shown, with its API root.
    pub(crate) fn collections(&self, client: &Client<Http>) -> Result<Vec<(String, Collection)>, String> {
        let mut found = Vec::new();
        let mut patience = self.patience();
        let roots = patience.ask(|| client.api_roots()).map_err(|e| e.to_string())?;
        for root in roots {
            let listed = patience.ask(|| client.collections(&root)).map_err(|e| format!("`{root}`: {e}"))?;
            found.extend(listed.into_iter().map(|collection| (root.clone(), collection)));
        }
        Ok(found)
    }

    /// The whole time that may be waited.
    pub(crate) fn patience(&self) -> Patience {
        Patience { left: Duration::from_secs(self.patience) }
    }
}

/// Whether a collection goes by this name: id, alias or title.
pub(crate) fn is_called(collection: &Collection, name: &str) -> bool {
    collection.id.to_string() == name || collection.alias.as_deref() == Some(name) || collection.title == name
}

/// Waiting as the server asks, up to a bound.
pub(crate) struct Patience {
    left: Duration,
}

impl Patience {
    /// Sleeps as the error asks. `false`: it does not ask, or for more than is left.
    pub(crate) fn wait(&mut self, error: &ClientError) -> bool {
        let (ClientError::TooManyRequests { retry_after_s }
        | ClientError::Server { retry_after_s: Some(retry_after_s), .. }) = error
        else {
            return false;
        };
        self.pause(Duration::from_secs(u64::from(*retry_after_s).max(1)))
    }

    /// Sleeps. `false`: for more than is left.
    pub(crate) fn pause(&mut self, time: Duration) -> bool {
        let Some(left) = self.left.checked_sub(time) else { return false };
        self.left = left;
        std::thread::sleep(time);
        true
    }

    /// Asks until the server does not ask to wait any more.
    pub(crate) fn ask<T>(&mut self, ask: impl Fn() -> Result<T, ClientError>) -> Result<T, ClientError> {
        loop {
            match ask() {
                Err(error) if self.wait(&error) => {}
                outcome => return outcome,
            }
        }
    }
}

fn read_secret(path: &Path) -> Result<String, String> {
    let failed = |e: std::io::Error| format!("`{}`: {e}", path.display());
    if std::fs::metadata(path).map_err(failed)?.len() > SECRET_BYTES_MAX {
        return Err(format!("`{}` is longer than {SECRET_BYTES_MAX} octets: no secret is", path.display()));
    }
    Ok(std::fs::read_to_string(path).map_err(failed)?.trim().to_owned())
}
