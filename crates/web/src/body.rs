//! The body of a POST, within its limits (T-086, T-087).

use crate::limits::{BODY_TIMEOUT_S, DRAIN_BYTES_MAX, DRAIN_TIMEOUT_S};
use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use std::time::Duration;
use taxii::error::TaxiiError;

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
