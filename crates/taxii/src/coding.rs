//! Packed bodies: gzip and zstd, both ways, for server and client alike (C-005).

use crate::error::TaxiiError;
use std::io::Read as _;

/// Base-2 logarithm of the window that a zstd body may ask for: 8 MiB, as RFC 9659 has it for HTTP.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878, with the window of RFC 9659.
    Zstd,
}

impl Coding {
    /// As it stands in `Content-Encoding`; `None` for what is not packed.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }
}

/// Unpacks a body; blocking. The result has at most `max` octets, and no more than one beyond is ever made.
///
/// # Errors
/// 413 for more octets, 400 for what is not completely packed as `coding` says, or wants a larger window than [`ZSTD_WINDOW_LOG_MAX`].
pub fn unpack(bytes: Vec<u8>, coding: Coding, max: u64) -> Result<Vec<u8>, TaxiiError> {
    let no_such_coding = |_| {
        let name = coding.name().unwrap_or("identity");
        TaxiiError::BadRequest(format!("the body is not the {name} that its Content-Encoding says"))
    };
    let packed: Box<dyn std::io::Read + '_> = match coding {
        Coding::Identity => return Ok(bytes),
        Coding::Gzip => Box::new(flate2::read::MultiGzDecoder::new(bytes.as_slice())),
        Coding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(bytes.as_slice()).map_err(no_such_coding)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(no_such_coding)?;
            Box::new(decoder)
        }
    };
    let mut out = Vec::new();
    let unpacking = packed.take(max.saturating_add(1)).read_to_end(&mut out);
    if u64::try_from(out.len()).unwrap_or(u64::MAX) > max {
        return Err(TaxiiError::TooLarge);
    }
    unpacking.map_err(no_such_coding)?;
    Ok(out)
}

/// Packs a reply; blocking. The fastest level of each: most of the gain for a small part of the time. `None`: it stays as it is.
pub fn pack(bytes: &[u8], coding: Coding) -> Option<Vec<u8>> {
    match coding {
        Coding::Identity => None,
        Coding::Gzip => {
            let mut out = Vec::with_capacity(bytes.len() / 4);
            flate2::read::GzEncoder::new(bytes, flate2::Compression::fast()).read_to_end(&mut out).ok()?;
            Some(out)
        }
        Coding::Zstd => zstd::bulk::compress(bytes, 1).ok(),
    }
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

    /// The same for zstd; a window beyond that of RFC 9659 is refused, however little it holds.
    #[test]
    fn a_zstd_bomb_stops_at_the_limit_and_a_large_window_is_refused() {
        let bomb = zstd::bulk::compress(&vec![0; 10_000_000], 3).unwrap();
        assert!(bomb.len() < 20_000);
        assert_eq!(unpack(bomb.clone(), Coding::Zstd, 9_999_999), Err(TaxiiError::TooLarge));
        assert_eq!(unpack(bomb, Coding::Zstd, 10_000_000).unwrap().len(), 10_000_000);
        for (window_log, fits) in [(ZSTD_WINDOW_LOG_MAX, true), (ZSTD_WINDOW_LOG_MAX + 1, false)] {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
            encoder.window_log(window_log).unwrap();
            encoder.include_contentsize(false).unwrap();
            encoder.write_all(&vec![1; 12_000_000]).unwrap();
            let packed = encoder.finish().unwrap();
            assert_eq!(unpack(packed, Coding::Zstd, 20_000_000).is_ok(), fits, "{window_log}");
        }
    }

    #[test]
    fn a_broken_zstd_is_a_bad_request_and_never_half_a_body() {
        let whole = zstd::bulk::compress(b"{\"objects\":[]}", 3).unwrap();
        for cut in 1..whole.len() {
            let half = unpack(whole[..cut].to_vec(), Coding::Zstd, 1_000);
            assert!(matches!(half, Err(TaxiiError::BadRequest(_))), "{cut}");
        }
    }

    #[test]
    fn what_is_packed_unpacks_to_the_same() {
        let text = b"{\"objects\":[]}".repeat(1_000);
        for coding in [Coding::Gzip, Coding::Zstd] {
            let packed = pack(&text, coding).unwrap();
            assert!(packed.len() < text.len() / 10, "{coding:?}");
            assert_eq!(unpack(packed, coding, 1_000_000).unwrap(), text);
        }
        assert_eq!(pack(&text, Coding::Identity), None);
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
