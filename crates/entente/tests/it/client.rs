//! A small HTTP client: what a partner's program sends, byte for byte, and what comes back.

use serde_json::Value;
use std::{net::SocketAddr, time::Duration};

/// The media type of TAXII 2.1.
pub(crate) const TAXII: &str = "application/taxii+json;version=2.1";

/// One account at one node.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    authorization: String,
}

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Ids of the objects, in order.
    pub(crate) fn ids(&self) -> Vec<String> {
        let json = self.json();
        let objects = json["objects"].as_array().cloned().unwrap_or_default();
        objects.iter().map(|o| o["id"].as_str().unwrap().to_owned()).collect()
    }
}

impl Client {
    pub(crate) fn with_token(address: SocketAddr, token: &str) -> Self {
        Self::new(address, format!("Bearer {token}"))
    }

    pub(crate) fn with_password(address: SocketAddr, user: &str, password: &str) -> Self {
        use base64::Engine as _;
        let pair = base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}"));
        Self::new(address, format!("Basic {pair}"))
    }

    fn new(address: SocketAddr, authorization: String) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Self { agent: config.new_agent(), base: format!("http://{address}"), authorization }
    }

    /// GET; an error is a connection that broke before the whole reply was here.
    pub(crate) fn get(&self, path: &str) -> Result<Answer, String> {
        let url = format!("{}{path}", self.base);
        let request = self.agent.get(&url).header("Authorization", &self.authorization).header("Accept", TAXII);
        read(request.call())
    }

    /// POST of an envelope.
    pub(crate) fn post(&self, path: &str, body: &[u8]) -> Result<Answer, String> {
        let url = format!("{}{path}", self.base);
        let request = self.agent.post(&url).header("Authorization", &self.authorization).header("Accept", TAXII);
        read(request.header("Content-Type", TAXII).send(body))
    }

    /// DELETE.
    pub(crate) fn delete(&self, path: &str) -> Result<Answer, String> {
        let url = format!("{}{path}", self.base);
        let request = self.agent.delete(&url).header("Authorization", &self.authorization).header("Accept", TAXII);
        read(request.call())
    }
}

fn read(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, String> {
    let mut response = result.map_err(|e| e.to_string())?;
    let body = response.body_mut().with_config().limit(1 << 30).read_to_vec().map_err(|e| e.to_string())?;
    let text = |v: &ureq::http::HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(n, v)| (n.as_str().to_owned(), text(v))).collect();
    Ok(Answer { status: response.status().as_u16(), headers, body })
}
