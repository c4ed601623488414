//! Addresses of networks and their cards.

use super::Verdict;
use std::{
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

pub(super) fn ipv4(text: &str) -> Verdict {
    network::<Ipv4Addr>(text, 32, "write an IPv4 address or network, e.g. `192.0.2.0/24`")
}

pub(super) fn ipv6(text: &str) -> Verdict {
    network::<Ipv6Addr>(text, 128, "write an IPv6 address or network, e.g. `2001:db8::/32`")
}

/// An address, or an address and the length of a prefix. Bits of the host may be set.
fn network<A: FromStr>(text: &str, bits: u8, instead: &'static str) -> Verdict {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let plain =
        |digits: &&str| digits.bytes().all(|b| b.is_ascii_digit()) && (*digits == "0" || !digits.starts_with('0'));
    let valid = address.parse::<A>().is_ok()
        && prefix.is_none_or(|p| Some(p).filter(plain).and_then(|p| p.parse::<u8>().ok()).is_some_and(|p| p <= bits));
    if valid { Verdict::Right } else { Verdict::Wrong(instead) }
}

pub(super) fn mac(text: &str) -> Verdict {
    let valid = text.len() == 17
        && text
            .bytes()
            .enumerate()
            .all(|(i, b)| if i % 3 == 2 { b == b':' } else { b.is_ascii_digit() || matches!(b, b'a'..=b'f') });
    if valid {
        Verdict::Right
    } else {
        Verdict::Wrong("write six pairs of lower-case digits with colons, e.g. `d2:fb:49:24:37:18`")
    }
}
