//! Values of sources, read.

use crate::{
    draft::Datum,
    record::{Record, text},
    table::{Read, Row},
};
use serde_json::Value;
use std::net::IpAddr;

/// Bytes of one value. Command lines of Windows end at 32 kB; URLs and certificates' subjects are shorter.
pub(crate) const FIELD_BYTES_MAX: usize = 64 * 1024;
/// Values of one field: the answers of one DNS reply and the recipients of one message stay far below.
pub(crate) const VALUES_MAX: usize = 256;

/// What a row reads from an event: nothing, values, or a fault of the first value that cannot be read.
pub(crate) fn row(row: &Row, record: Record<'_>) -> Result<Vec<Datum>, String> {
    let composed;
    let value = match row.read {
        Read::Link => return Ok(Vec::new()),
        Read::With(compose) | Read::HostWith(compose) | Read::PathWith(compose) => {
            composed = compose(record);
            Values::Many(&composed)
        }
        _ => match record.get(row.source) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => Values::Many(items),
            Some(value) => Values::One(value),
        },
    };
    let values = value.as_slice();
    if values.len() > VALUES_MAX {
        return Err(format!("it has more than {VALUES_MAX} values"));
    }
    values.iter().filter_map(|value| one(row.read, value).transpose()).collect()
}

enum Values<'a> {
    One(&'a Value),
    Many(&'a [Value]),
}

impl Values<'_> {
    fn as_slice(&self) -> &[Value] {
        match self {
            Self::One(value) => std::slice::from_ref(*value),
            Self::Many(values) => values,
        }
    }
}

fn one(read: Read, value: &Value) -> Result<Option<Datum>, String> {
    if let Read::With(_) = read {
        return Ok(Some(Datum::Json(value.clone())));
    }
    let Some(text) = text(value) else { return Err("it is neither text nor a number".to_owned()) };
    let text = text.trim();
    if text.len() > FIELD_BYTES_MAX {
        return Err(format!("it has {} bytes, more than {FIELD_BYTES_MAX}", text.len()));
    }
    if text.is_empty() {
        return Ok(None);
    }
    let string = |text: &str| Some(Datum::Json(Value::from(text)));
    let whole = |n: i64| Some(Datum::Json(Value::from(n)));
    let fault = |what: &str| Err(format!("`{}` is no {what}", cut(text)));
    Ok(match read {
        Read::Text | Read::Account => string(text),
        Read::Lower => string(&text.to_ascii_lowercase()),
        Read::Mail => match mail(text) {
            Some(address) => string(address),
            None => return fault("address of e-mail"),
        },
        Read::Count => match count(text) {
            Some(n) => whole(n),
            None => return fault("whole number"),
        },
        Read::Port => match count(text).filter(|n| *n <= 65_535) {
            Some(n) => whole(n),
            None => return fault("port"),
        },
        Read::Address => match address(text) {
            Some(datum) => Some(datum),
            None => return fault("IP address"),
        },
        Read::Host | Read::HostWith(_) => match host(text) {
            Some(datum) => Some(datum),
            None => return fault("name of a host"),
        },
        Read::HostIfAny => host(text),
        Read::Url if is_url(text) => string(text),
        Read::Url => return fault("URL"),
        Read::Seconds | Read::Millis => match instant(value, matches!(read, Read::Millis)) {
            Some(micros) => string(&crate::observation::stamp(micros)),
            None => return fault("time"),
        },
        Read::Hash(algorithm) => match hash(algorithm, text) {
            Some(hash) => string(&hash),
            None => return fault(algorithm),
        },
        Read::Hashes => Some(Datum::Hashes(hashes(text)?)),
        Read::Path | Read::PathWith(_) => {
            let (folder, name) = path(text);
            Some(Datum::File(folder, name))
        }
        Read::Key => string(&registry_key(text)),
        Read::With(_) | Read::Link => None,
    })
}

/// The beginning of a value, for errors.
pub(crate) fn cut(text: &str) -> String {
    const CHARS_MAX: usize = 64;
    let short: String = text.chars().take(CHARS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if short.len() < text.len() && text.chars().nth(CHARS_MAX).is_some() { short + "…" } else { short }
}

/// An integer of 0 or more.
pub(crate) fn count(text: &str) -> Option<i64> {
    let value = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => i64::from_str_radix(digits, 16).ok()?,
        // Zeek's JSON writes counts as integers, its intervals as fractions; a count with `.0` comes from tools in between.
        None => text.strip_suffix(".0").unwrap_or(text).parse().ok()?,
    };
    // What JSON numbers hold exactly (S-017).
    (0..=9_007_199_254_740_991).contains(&value).then_some(value)
}

/// An IP address as an object. IPv6 is written in its canonical form; an IPv4 address mapped into it is IPv4. A zone is dropped.
pub(crate) fn address(text: &str) -> Option<Datum> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let bare = bare.split_once('%').map_or(bare, |(bare, _)| bare);
    Some(match bare.parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(address) => Datum::Typed("ipv4-addr", address.to_string()),
        IpAddr::V6(address) => Datum::Typed("ipv6-addr", address.to_string()),
    })
}

/// A host: an address, or a name in lower case without the root's dot.
pub(crate) fn host(text: &str) -> Option<Datum> {
    if let Some(address) = address(text) {
        return Some(address);
    }
    let bare = match text.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|b| b.is_ascii_digit()) => bare,
        _ => text,
    };
    if let Some(address) = address(bare) {
        return Some(address);
    }
    let name = bare.strip_suffix('.').unwrap_or(bare);
    is_domain(name).then(|| Datum::Typed("domain-name", name.to_lowercase()))
}

/// Names as they are queried: letters, digits, hyphens, underscores and dots, or non-ASCII letters; labels of up to 63 bytes.
pub(crate) fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '*'))
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// A URL with a scheme and something behind it.
pub(crate) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let mut letters = scheme.bytes();
    letters.next().is_some_and(|b| b.is_ascii_alphabetic())
        && letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        && !rest.is_empty()
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

fn mail(text: &str) -> Option<&str> {
    let inner = text.rsplit_once('<').and_then(|(_, t)| t.split_once('>')).map_or(text, |(t, _)| t);
    let inner = inner.trim().trim_matches('"');
    let (local, domain) = inner.rsplit_once('@')?;
    (!local.is_empty() && !domain.is_empty() && !inner.contains(char::is_whitespace)).then_some(inner)
}

/// An instant in microseconds since 1970.
pub(crate) fn instant(value: &Value, millis: bool) -> Option<i64> {
    let scale: f64 = if millis { 1e3 } else { 1e6 };
    // Years 1 to 9999.
    let in_range = |micros: f64| (-62_135_596_800e6..253_402_300_800e6).contains(&micros);
    #[allow(clippy::cast_possible_truncation)] // the range was checked
    let scaled = |n: f64| Some((n * scale).round()).filter(|us| in_range(*us)).map(|us| us as i64);
    let text = match value {
        Value::Number(number) => return scaled(number.as_f64()?),
        Value::String(text) => text.trim(),
        _ => return None,
    };
    if let Ok(number) = text.parse::<f64>() {
        return scaled(number);
    }
    // What .NET writes as JSON.
    if let Some(millis) = text.strip_prefix("/Date(").and_then(|t| t.strip_suffix(")/")) {
        return millis.parse::<i64>().ok()?.checked_mul(1_000);
    }
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(instant.as_microsecond());
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp().as_microsecond())
}

/// The name of a hash algorithm in STIX, and how many hexadecimal digits it has.
pub(crate) fn algorithm(name: &str) -> Option<(&'static str, usize)> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    Some(match plain.as_str() {
        "MD5" => ("MD5", 32),
        "SHA1" => ("SHA-1", 40),
        "SHA256" => ("SHA-256", 64),
        "SHA512" => ("SHA-512", 128),
        _ => return None,
    })
}

/// A hash in lower case, if it has the form of its algorithm.
pub(crate) fn hash(name: &str, text: &str) -> Option<String> {
    let (_, digits) = algorithm(name)?;
    let hash: String = text.chars().filter(|c| *c != ':').collect::<String>().to_ascii_lowercase();
    (hash.len() == digits && hash.bytes().all(|b| b.is_ascii_hexdigit())).then_some(hash)
}

/// `SHA256=…,MD5=…,IMPHASH=…`. What STIX has no name for is left out, and so are hashes of zeros: Sysmon writes them for files it could not read.
fn hashes(text: &str) -> Result<Vec<(&'static str, String)>, String> {
    let mut found = Vec::new();
    for part in text.split(',') {
        let Some((name, value)) = part.split_once('=') else { continue };
        let Some((name, _)) = algorithm(name) else { continue };
        let value = hash(name, value.trim()).ok_or_else(|| format!("`{}` is no {name}", cut(value)))?;
        if value.bytes().any(|b| b != b'0') {
            found.push((name, value));
        }
    }
    Ok(found)
}

/// Folder and name of a path of either kind; a path that ends in a separator is a name by itself.
pub(crate) fn path(text: &str) -> (Option<String>, String) {
    let windows = text.contains('\\') && !text.starts_with('/');
    let separator = if windows { '\\' } else { '/' };
    match text.rsplit_once(separator) {
        Some((folder, name)) if !name.is_empty() => {
            // The root keeps its separator, or it would be another folder.
            let root = folder.is_empty() || folder.ends_with(':');
            (Some(if root { format!("{folder}{separator}") } else { folder.to_owned() }), name.to_owned())
        }
        _ => (None, text.to_owned()),
    }
}

/// A key with its hive spelled out (S-119).
pub(crate) fn registry_key(text: &str) -> String {
    const HIVES: [(&str, &str); 9] = [
        ("\\REGISTRY\\MACHINE\\", "HKEY_LOCAL_MACHINE\\"),
        ("\\REGISTRY\\USER\\", "HKEY_USERS\\"),
        ("HKLM\\", "HKEY_LOCAL_MACHINE\\"),
        ("HKCU\\", "HKEY_CURRENT_USER\\"),
        ("HKCR\\", "HKEY_CLASSES_ROOT\\"),
        ("HKCC\\", "HKEY_CURRENT_CONFIG\\"),
        ("HKU\\", "HKEY_USERS\\"),
        ("Registry\\Machine\\", "HKEY_LOCAL_MACHINE\\"),
        ("Registry\\User\\", "HKEY_USERS\\"),
    ];
    let long = |(short, long): &(&str, &str)| {
        let head = text.get(..short.len())?;
        head.eq_ignore_ascii_case(short).then(|| format!("{long}{}", text.get(short.len()..).unwrap_or_default()))
    };
    HIVES.iter().find_map(long).unwrap_or_else(|| text.to_owned())
}
