//! RFC 3986, as far as a scanner sees without resolving anything.

use super::Verdict;
use std::net::Ipv6Addr;

/// An absolute URI: a scheme, a colon, and only characters that a URI may hold.
pub(super) fn url(text: &str) -> Verdict {
    let Some((scheme, rest)) = text.split_once(':') else {
        return Verdict::Wrong("begin with a scheme, e.g. `https:`");
    };
    let valid_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if !valid_scheme {
        return Verdict::Wrong("begin with a scheme, e.g. `https:`");
    }
    let (hierarchy, fragment) = rest.split_once('#').map_or((rest, ""), |(hierarchy, fragment)| (hierarchy, fragment));
    let (path, query) = hierarchy.split_once('?').map_or((hierarchy, ""), |(path, query)| (path, query));
    let path = match path.strip_prefix("//") {
        None => path,
        Some(after) => {
            let end = after.find('/').unwrap_or(after.len());
            let (authority, path) = after.split_at(end);
            if !is_authority(authority) {
                return Verdict::Wrong("the host or port is none; write e.g. `example.com:8080` or `[2001:db8::1]`");
            }
            path
        }
    };
    if [path, query, fragment].into_iter().all(|part| has_only(part, b":@/?")) {
        Verdict::Right
    } else {
        Verdict::Wrong("percent-encode what a URL may not hold")
    }
}

fn is_authority(authority: &str) -> bool {
    let (user, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    if !has_only(user, b":") {
        return false;
    }
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    if let Some(literal) = address.strip_prefix('[') {
        return literal.split_once(']').is_some_and(|(literal, after)| {
            let known =
                literal.parse::<Ipv6Addr>().is_ok() || literal.starts_with(['v', 'V']) && has_only(literal, b":");
            known && (after.is_empty() || after.strip_prefix(':').is_some_and(is_port))
        });
    }
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    has_only(host, b"") && is_port(port)
}

/// Unreserved characters, sub-delimiters, percent-encoded bytes, and `more`.
fn has_only(part: &str, more: &[u8]) -> bool {
    let bytes = part.as_bytes();
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        if b == b'%' {
            let encoded = bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
            if !encoded {
                return false;
            }
            at += 3;
        } else if b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&b) || more.contains(&b) {
            at += 1;
        } else {
            return false;
        }
    }
    true
}
