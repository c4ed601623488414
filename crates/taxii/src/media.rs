//! Media types and their negotiation (T-014 to T-023, C-004, C-005).

use crate::{coding::Coding, error::TaxiiError};

/// What every reply of ours is, success and failure alike (T-014, TK-21): exactly these bytes.
pub const TAXII: &str = "application/taxii+json;version=2.1";
/// STIX 2.1 content, in collections and manifests (T-104, T-110).
pub const STIX: &str = "application/stix+json;version=2.1";
/// STIX 2.0 content.
pub const STIX_2_0: &str = "application/stix+json;version=2.0";
/// Octets of all `Accept` lines of a request; browsers send 200.
pub const ACCEPT_BYTES_MAX: usize = 4_096;
/// Media ranges of a request; browsers send 8.
pub const ACCEPT_RANGES_MAX: usize = 64;
/// Parameters of one media range or content type.
pub const PARAMETERS_MAX: usize = 16;

/// Whether a reply in [`TAXII`] suits the `Accept` lines of a request (C-004).
///
/// Served: the TAXII type with version 2.1 or none, in any spacing and case, in lists, with `q`; `*/*`, `application/*`, `application/json`; nothing at all. The most specific range decides,
/// so that `application/taxii+json;q=0, */*` is a refusal. Malformed ranges count for nothing.
///
/// # Errors
/// [`TaxiiError::NotAcceptable`] if nothing in it can be met, or if it is beyond the limits.
pub fn accept<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<(), TaxiiError> {
    let mut bytes = 0;
    let mut ranges = 0;
    let mut any = false;
    let mut best: Option<(u8, bool)> = None;
    for line in lines {
        bytes += line.len();
        if bytes > ACCEPT_BYTES_MAX {
            return Err(TaxiiError::NotAcceptable);
        }
        let Ok(line) = std::str::from_utf8(line) else {
            any = true;
            continue;
        };
        for range in split_unquoted(line, ',').filter(|r| !r.trim().is_empty()) {
            any = true;
            ranges += 1;
            if ranges > ACCEPT_RANGES_MAX {
                return Err(TaxiiError::NotAcceptable);
            }
            let Some((specificity, wanted)) = MediaType::parse(range).as_ref().and_then(MediaType::as_range) else {
                continue;
            };
            // Of equally specific ranges one that wants us is enough.
            best = Some(best.map_or((specificity, wanted), |(s, w)| match specificity.cmp(&s) {
                std::cmp::Ordering::Greater => (specificity, wanted),
                std::cmp::Ordering::Equal => (s, w || wanted),
                std::cmp::Ordering::Less => (s, w),
            }));
        }
    }
    match best {
        Some((_, true)) => Ok(()),
        None if !any => Ok(()),
        _ => Err(TaxiiError::NotAcceptable),
    }
}

/// Whether a POST with this `Content-Type` is read (C-005): TAXII 2.1, STIX of any version, and the vendor type that STIX 2.0 had.
///
/// # Errors
/// [`TaxiiError::UnsupportedMediaType`] for anything else, none included (T-019, T-020).
pub fn content_type(value: Option<&[u8]>) -> Result<(), TaxiiError> {
    let text = value.and_then(|v| std::str::from_utf8(v).ok()).filter(|v| v.len() <= ACCEPT_BYTES_MAX);
    let read = text.and_then(MediaType::parse).is_some_and(|m| match m.name.as_str() {
        "application/taxii+json" => m.is_2_1_or_unversioned(),
        "application/stix+json" | "application/vnd.oasis.stix+json" => true,
        _ => false,
    });
    if read { Ok(()) } else { Err(TaxiiError::UnsupportedMediaType) }
}

/// Reads the `Content-Encoding` lines of a POST (C-005).
///
/// # Errors
/// [`TaxiiError::UnsupportedMediaType`] for any other coding and for several in a row.
pub fn content_encoding<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Result<Coding, TaxiiError> {
    let mut coding = None;
    for line in lines {
        for word in line.split(|c| *c == b',').map(<[u8]>::trim_ascii).filter(|w| !w.is_empty()) {
            let this = match word.to_ascii_lowercase().as_slice() {
                b"identity" => Coding::Identity,
                b"gzip" | b"x-gzip" => Coding::Gzip,
                b"zstd" => Coding::Zstd,
                _ => return Err(TaxiiError::UnsupportedMediaType),
            };
            if coding.replace(this).is_some() {
                return Err(TaxiiError::UnsupportedMediaType);
            }
        }
    }
    Ok(coding.unwrap_or(Coding::Identity))
}

/// How to pack a reply for these `Accept-Encoding` lines (RFC 9110, 12.5.3): what the client weighs highest, of equals zstd before gzip; not at all if it
/// asks for neither, if the lines are malformed, or if they are beyond the limits of `Accept`.
pub fn accept_encoding<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Coding {
    let mut bytes = 0;
    let mut ranges = 0;
    // Weights in thousandths; `None`: not named.
    let (mut gzip, mut zstd, mut any) = (None, None, None);
    for line in lines {
        bytes += line.len();
        let Ok(line) = std::str::from_utf8(line) else { return Coding::Identity };
        if bytes > ACCEPT_BYTES_MAX {
            return Coding::Identity;
        }
        for range in line.split(',').map(str::trim).filter(|r| !r.is_empty()) {
            ranges += 1;
            let (name, weight) = match range.split_once(';') {
                None => (range, Some(1_000)),
                Some((name, q)) => (name.trim_end(), thousandths(q.trim())),
            };
            let Some(weight) = weight.filter(|_| ranges <= ACCEPT_RANGES_MAX) else { return Coding::Identity };
            match name.to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => gzip = Some(weight),
                "zstd" => zstd = Some(weight),
                "*" => any = Some(weight),
                _ => {}
            }
        }
    }
    let (gzip, zstd) = (gzip.or(any).unwrap_or(0), zstd.or(any).unwrap_or(0));
    match (zstd, gzip) {
        (0, 0) => Coding::Identity,
        (zstd, gzip) if zstd >= gzip => Coding::Zstd,
        _ => Coding::Gzip,
    }
}

/// A weight `q=0.5` in thousandths; `None` if it is none.
fn thousandths(q: &str) -> Option<u16> {
    let (name, value) = q.split_once('=')?;
    let value = value.trim_start();
    if !name.trim_end().eq_ignore_ascii_case("q") || is_weight(value) != Some(true) {
        return None;
    }
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    Some(whole.parse::<u16>().ok()? * 1_000 + fraction)
}

/// Whether a content type that a server sent is TAXII 2.1; some leave the version out.
pub fn is_taxii_reply(text: &str) -> bool {
    MediaType::parse(text).is_some_and(|m| m.name == "application/taxii+json" && m.is_2_1_or_unversioned())
}

/// Whether a text names TAXII 2.1 with its version (T-084), in any spacing.
pub fn is_taxii_2_1(text: &str) -> bool {
    MediaType::parse(text).is_some_and(|m| m.name == "application/taxii+json" && m.version() == Some("2.1"))
}

struct MediaType {
    name: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = split_unquoted(text, ';');
        let name = parts.next()?.trim().to_ascii_lowercase();
        let (main, sub) = name.split_once('/')?;
        if !is_token(main) || !is_token(sub) {
            return None;
        }
        let mut parameters = Vec::new();
        for part in parts.map(str::trim).filter(|p| !p.is_empty()) {
            let (key, value) = part.split_once('=')?;
            let (key, value) = (key.trim_end(), value.trim_start());
            let value = match value.strip_prefix('"') {
                Some(quoted) => unquote(quoted.strip_suffix('"')?)?,
                None if is_token(value) => value.to_owned(),
                None => return None,
            };
            if !is_token(key) || parameters.len() >= PARAMETERS_MAX {
                return None;
            }
            parameters.push((key.to_ascii_lowercase(), value));
        }
        Some(Self { name, parameters })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|p| p.0 == name).map(|p| p.1.as_str())
    }

    fn version(&self) -> Option<&str> {
        self.parameter("version")
    }

    fn is_2_1_or_unversioned(&self) -> bool {
        self.version().is_none_or(|v| v == "2.1")
    }

    /// As a range that covers [`TAXII`]: how specific, and whether wanted (`q` above 0).
    fn as_range(&self) -> Option<(u8, bool)> {
        let specificity = match self.name.as_str() {
            "application/taxii+json" if self.version() == Some("2.1") => 5,
            "application/taxii+json" if self.version().is_none() => 4,
            "application/json" => 3,
            "application/*" => 2,
            "*/*" => 1,
            _ => return None,
        };
        let wanted = match self.parameter("q") {
            None => true,
            Some(q) => is_weight(q)? && q.bytes().any(|c| matches!(c, b'1'..=b'9')),
        };
        Some((specificity, wanted))
    }
}

/// `Some(true)` for a weight of RFC 9110, 12.4.2.
fn is_weight(q: &str) -> Option<bool> {
    let (whole, fraction) = q.split_once('.').unwrap_or((q, ""));
    let allowed = match whole {
        "0" => fraction.bytes().all(|c| c.is_ascii_digit()),
        "1" => fraction.bytes().all(|c| c == b'0'),
        _ => false,
    };
    (allowed && fraction.len() <= 3).then_some(true)
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c))
}

fn unquote(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return None,
            '\\' => out.push(chars.next()?),
            c => out.push(c),
        }
    }
    Some(out)
}

/// Splits at `at`, but not inside a quoted string.
fn split_unquoted(text: &str, at: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c: char| {
        if escaped {
            escaped = false;
            return false;
        }
        match c {
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c => return c == at && !quoted,
        }
        false
    })
}
