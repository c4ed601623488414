//! What HTTP alone costs: an `axum` handler that answers every request with the same bytes from memory, for `bench/run.py`. It signs nobody in, decides nothing and records nothing.
//!
//! `bare FILE`: listens on a free port of the loopback address, prints it, and serves the contents of FILE until it is ended.
#![allow(clippy::print_stdout)]
use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::Response,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args_os().nth(1).ok_or("usage: bare FILE")?;
    let bytes = Bytes::from(std::fs::read(file)?);
    let handler = move || {
        let mut response = Response::new(Body::from(bytes.clone()));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(taxii::media::TAXII));
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        std::future::ready(response)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", tcp.local_addr()?.port());
        Ok(axum::serve(tcp, Router::new().fallback(handler)).await?)
    })
}
