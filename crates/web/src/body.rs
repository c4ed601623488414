//! The body of a POST, within its limits (T-086, T-087, C-005).

use crate::limits::{BODY_TIMEOUT_S, DRAIN_BYTES_MAX, DRAIN_TIMEOUT_S};
use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use std::{io::Read as _, time::Duration};
use taxii::{error::TaxiiError, media::Coding};

/// Reads at most `max` octets, whether the length was announced or not; stops at the first octet too many.
///
/// # Errors
/// 413 for more octets, 408 for a body that takes longer than [`BODY_TIMEOUT_S`], 400 for one that breaks off.
pub async fn read(body: &mut Body, max: u64) -> Result<Vec<u8>, TaxiiError> {
    let mut bytes = Vec::with_capacity(usize::try_from(body.size_hint().lower().min(max)).unwrap_or_default());
    let reading = async {
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return Err(TaxiiError::BadRequest("the body broke off".to_owned())) };
            let Ok(data) = frame.into_data() else { continue };
            if u64::try_from(bytes.len() + data.len()).unwrap_or(u64::MAX) > max {
                return Err(TaxiiError::TooLarge);
            }
            bytes.extend_from_slice(&data);
        }
        Ok(())
    };
    tokio::time::timeout(Duration::from_secs(BODY_TIMEOUT_S), reading).await.map_err(|_| TaxiiError::Timeout)??;
    Ok(bytes)
}

/// Unpacks a body; blocking. The result has at most `max` octets, and no more than one beyond is ever made.
///
/// # Errors
/// 413 for more octets, 400 for what is no complete gzip.
pub fn unpack(bytes: Vec<u8>, coding: Coding, max: u64) -> Result<Vec<u8>, TaxiiError> {
    match coding {
        Coding::Identity => Ok(bytes),
        Coding::Gzip => {
            let mut out = Vec::new();
            let inflating =
                flate2::read::MultiGzDecoder::new(bytes.as_slice()).take(max.saturating_add(1)).read_to_end(&mut out);
            if u64::try_from(out.len()).unwrap_or(u64::MAX) > max {
                return Err(TaxiiError::TooLarge);
            }
            inflating.map_err(|_| {
                TaxiiError::BadRequest("the body is not the gzip that its Content-Encoding says".to_owned())
            })?;
            Ok(out)
        }
    }
}

/// Reads what is left of a refused body and throws it away, within bounds. A client that sends all before it listens then sees the refusal instead of a reset connection.
pub(crate) async fn drain(mut body: Body) {
    if body.is_end_stream() {
        return;
    }
    let draining = async {
        let mut left = DRAIN_BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let read = frame.data_ref().map_or(0, axum::body::Bytes::len);
            left = left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
            if left == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(DRAIN_TIMEOUT_S), draining).await;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write as _;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// T-087 after inflation, T-086 at the edge.
    #[test]
    fn a_gzip_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![0; 10_000_000]);
        assert!(bomb.len() < 20_000);
        assert_eq!(unpack(bomb.clone(), Coding::Gzip, 9_999_999), Err(TaxiiError::TooLarge));
        assert_eq!(unpack(bomb, Coding::Gzip, 10_000_000).unwrap().len(), 10_000_000);
    }

    #[test]
    fn a_broken_gzip_is_a_bad_request_and_never_half_a_body() {
        let whole = gzip(b"{\"objects\":[]}");
        for cut in 1..whole.len() {
            assert!(
                matches!(unpack(whole[..cut].to_vec(), Coding::Gzip, 1_000), Err(TaxiiError::BadRequest(_))),
                "{cut}"
            );
        }
        let mut flipped = whole.clone();
        let crc = flipped.len() - 8;
        flipped[crc] ^= 1;
        assert!(unpack(flipped, Coding::Gzip, 1_000).is_err());
        assert!(unpack(b"{}".to_vec(), Coding::Gzip, 1_000).is_err());
        assert_eq!(
            unpack([whole.clone(), whole].concat(), Coding::Gzip, 1_000).unwrap(),
            b"{\"objects\":[]}{\"objects\":[]}"
        );
    }
}
