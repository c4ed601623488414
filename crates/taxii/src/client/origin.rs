//! As much of a URL as a TAXII client needs: scheme, authority, path. No query, no fragment, no user (T-078, T-079).

use super::{ClientError, cut};

/// An absolute `http` or `https` URL without query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    https: bool,
    host: String,
    port: u16,
    path: String,
}

impl Url {
    pub(super) fn parse(text: &str) -> Result<Self, ClientError> {
        let wrong = |why| ClientError::Url { url: cut(text), why };
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("it is not absolute"))?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(wrong("the scheme is neither https nor http")),
        };
        if text.bytes().any(|c| c <= b' ' || c >= 0x7f || matches!(c, b'?' | b'#' | b'\\' | b'"' | b'<' | b'>')) {
            return Err(wrong("it has a query, a fragment or a character that is not allowed"));
        }
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        if authority.contains('@') {
            return Err(wrong("it has a user in it"));
        }
        if path.split('/').any(|s| s == "." || s == "..") {
            return Err(wrong("its path has dot segments"));
        }
        let (host, port) = match authority.rsplit_once(':').filter(|(_, p)| !p.ends_with(']')) {
            Some((host, port)) => (host, port.parse().map_err(|_| wrong("the port is no number"))?),
            None => (authority, if https { 443 } else { 80 }),
        };
        let bracketed = host.starts_with('[') && host.ends_with(']') && host.len() > 2;
        if host.is_empty() || (!bracketed && host.contains([':', '[', ']'])) {
            return Err(wrong("the host is missing or malformed"));
        }
        Ok(Self { https, host: host.to_ascii_lowercase(), port, path: path.to_owned() })
    }

    /// Resolves an API root: absolute, or relative with exactly one leading `/` (T-078, T-079).
    pub(super) fn join(&self, reference: &str) -> Result<Self, ClientError> {
        if reference.contains("://") {
            return Self::parse(reference);
        }
        if !reference.starts_with('/') || reference.starts_with("//") {
            return Err(ClientError::Url {
                url: cut(reference),
                why: "it is neither absolute nor relative with exactly one leading slash",
            });
        }
        let base = Self { path: String::new(), ..self.clone() };
        Self::parse(&format!("{base}{reference}"))
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The same with a path that ends in `/` (T-009).
    pub(super) fn with_slash(&self) -> Self {
        let path = if self.path.ends_with('/') { self.path.clone() } else { format!("{}/", self.path) };
        Self { path, ..self.clone() }
    }

    pub(super) fn same_origin(&self, other: &Self) -> bool {
        (self.https, &self.host, self.port) == (other.https, &other.host, other.port)
    }

    /// Refuses plain HTTP beyond this machine (T-139).
    pub(super) fn check_plain(&self, allowed: bool) -> Result<(), ClientError> {
        let address = self.host.trim_start_matches('[').trim_end_matches(']');
        let loopback = address == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback());
        if self.https || allowed || loopback {
            return Ok(());
        }
        Err(ClientError::Url { url: self.to_string(), why: "plain HTTP is refused: use https" })
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let usual = if self.https { 443 } else { 80 };
        f.write_str(if self.https { "https://" } else { "http://" })?;
        f.write_str(&self.host)?;
        if self.port != usual {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(&self.path)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// T-078, T-079.
    #[test]
    fn api_roots_resolve_against_the_server_and_odd_ones_are_refused() {
        let at = Url::parse("https://Example.org/taxii2/").unwrap();
        assert_eq!(at.join("/live/").unwrap().to_string(), "https://example.org/live/");
        assert_eq!(
            at.join("https://other.example:8443/x").unwrap().with_slash().to_string(),
            "https://other.example:8443/x/"
        );
        for odd in [
            "//evil.example/x/",
            "../x/",
            "x/",
            "",
            "/x/?a=b",
            "/x/#f",
            "ftp://example.org/",
            "https://user@example.org/",
            "/a/../b/",
            "https:///x/",
            "/x y/",
            "https://[::1/x/",
            "https://h:99999/",
        ] {
            assert!(at.join(odd).is_err(), "{odd}");
        }
    }

    /// T-080.
    #[test]
    fn the_origin_is_scheme_host_and_port() {
        let at = Url::parse("https://a.example/taxii2/").unwrap();
        for same in ["https://a.example:443/x/", "https://A.EXAMPLE/"] {
            assert!(at.same_origin(&Url::parse(same).unwrap()), "{same}");
        }
        for other in ["http://a.example/", "https://a.example:8443/", "https://a.example.evil/", "https://b.example/"] {
            assert!(!at.same_origin(&Url::parse(other).unwrap()), "{other}");
        }
    }

    /// T-139.
    #[test]
    fn plain_http_is_for_loopback_alone_unless_allowed() {
        for fine in ["http://127.0.0.1:8080/", "http://[::1]:8080/", "http://localhost/", "https://a.example/"] {
            assert!(Url::parse(fine).unwrap().check_plain(false).is_ok(), "{fine}");
        }
        for not in ["http://a.example/", "http://localhost.evil.example/", "http://128.0.0.1/"] {
            assert!(Url::parse(not).unwrap().check_plain(false).is_err(), "{not}");
            assert!(Url::parse(not).unwrap().check_plain(true).is_ok(), "{not}");
        }
    }
}
