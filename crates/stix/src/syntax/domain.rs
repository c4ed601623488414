//! Domain names, and the mail addresses that end in one.

use super::Verdict;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Bytes of one label (RFC 1034).
const LABEL_BYTES_MAX: usize = 63;
/// Bytes of a name as text (RFC 1034: 255 on the wire).
const NAME_BYTES_MAX: usize = 253;

pub(super) fn domain_name(text: &str) -> Verdict {
    // A name may end in the dot of the root.
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Verdict::Wrong("write a domain name of 1 to 253 bytes, e.g. `example.com`");
    }
    let mut underscore = false;
    for label in name.split('.') {
        if label.is_empty() || label.len() > LABEL_BYTES_MAX {
            return Verdict::Wrong("a label has 1 to 63 bytes");
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Verdict::Wrong("a label neither begins nor ends with a hyphen");
        }
        for c in label.chars() {
            match c {
                '_' => underscore = true,
                c if c.is_alphanumeric() || c == '-' => {}
                // Marks of letters, e.g. of Indic scripts, and the few signs that RFC 5892 lets into labels.
                c if !c.is_ascii() && !c.is_whitespace() && !c.is_control() => {}
                _ => return Verdict::Wrong("a label has letters, digits and hyphens only"),
            }
        }
    }
    if underscore { Verdict::Loose("names of hosts have no underscore; it is kept") } else { Verdict::Right }
}

/// `local@domain`: a dot-atom or a quoted string before the last `@`, a dot-atom or an address in brackets after it.
pub(super) fn email_address(text: &str) -> Verdict {
    const INSTEAD: Verdict = Verdict::Wrong("write the address alone, e.g. `john@example.com`");
    let Some((local, domain)) = text.rsplit_once('@') else { return INSTEAD };
    let is_local = match local.strip_prefix('"').and_then(|l| l.strip_suffix('"')) {
        Some(quoted) => is_quoted(quoted),
        None => is_dot_atom(local),
    };
    let is_domain = match domain.strip_prefix('[').and_then(|d| d.strip_suffix(']')) {
        Some(literal) => {
            literal.parse::<Ipv4Addr>().is_ok()
                || literal.strip_prefix("IPv6:").is_some_and(|l| l.parse::<Ipv6Addr>().is_ok())
        }
        None => is_dot_atom(domain),
    };
    if is_local && is_domain { Verdict::Right } else { INSTEAD }
}

/// Characters of RFC 5322, and any beyond ASCII (RFC 6532), but no spaces.
fn is_dot_atom(text: &str) -> bool {
    let atom = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~".contains(c)
            || !c.is_ascii() && !c.is_whitespace() && !c.is_control()
    };
    text.split('.').all(|part| !part.is_empty() && part.chars().all(atom))
}

fn is_quoted(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return false,
            '\\' if chars.next().is_none() => return false,
            c if c.is_control() => return false,
            _ => {}
        }
    }
    true
}
