//! IPv4 and IPv6 addresses and CIDR ranges, for ISSUBSET and ISSUPERSET (P-057 to P-059).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A set of addresses of one family: those whose first `length` bits are those of `bits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Network {
    pub(super) is_v4: bool,
    /// Left-aligned, zero after `length`.
    pub(super) bits: u128,
    pub(super) length: u8,
}

impl Network {
    /// `198.51.100.5`, `198.51.100.0/24`, `2001:db8::/32`. Bits after the prefix are ignored.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let (is_v4, bits, longest) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(v4) => (true, u128::from(Ipv4Addr::to_bits(v4)) << 96, 32),
            IpAddr::V6(v6) => (false, Ipv6Addr::to_bits(v6), 128),
        };
        let length = match prefix {
            None => longest,
            // `u8::from_str` would take `+8` and `008`.
            Some(p) if p.bytes().all(|b| b.is_ascii_digit()) && (p == "0" || !p.starts_with('0')) => {
                p.parse::<u8>().ok().filter(|n| *n <= longest)?
            }
            Some(_) => return None,
        };
        Some(Self { is_v4, bits, length }.cut(length))
    }

    /// The network of the first `length` bits around it.
    pub(super) fn cut(self, length: u8) -> Self {
        let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
        Self { bits: self.bits & mask, length, ..self }
    }

    /// Whether every address of `self` is one of `other`.
    pub(super) fn is_within(self, other: Self) -> bool {
        self.is_v4 == other.is_v4 && self.length >= other.length && self.cut(other.length).bits == other.bits
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn within(a: &str, b: &str) -> bool {
        Network::parse(a).unwrap().is_within(Network::parse(b).unwrap())
    }

    #[test]
    fn sets_of_addresses_contain_each_other() {
        // P-057, P-058
        assert!(within("198.51.100.0/27", "198.51.100.0/24"));
        assert!(!within("198.51.100.0/24", "198.51.100.0/27"));
        assert!(within("198.51.100.5", "198.51.100.5/32") && within("198.51.100.5/32", "198.51.100.5"));
        assert!(within("2001:db8:1:2::/64", "2001:db8::/32") && within("2001:db8::1", "::/0"));
        assert!(within("1.2.3.4", "0.0.0.0/0") && within("0.0.0.0/0", "0.0.0.0/0"));
        assert!(within("198.51.100.77", "198.51.100.5/24"), "bits after the prefix are ignored");
        assert!(!within("1.2.3.4", "::/0") && !within("::1.2.3.4", "1.2.3.4"), "P-059");
    }

    #[test]
    fn other_texts_are_no_addresses() {
        // P-059
        for bad in [
            "",
            "1.2.3",
            "1.2.3.4/33",
            "1.2.3.4/",
            "1.2.3.4/+8",
            "1.2.3.4/08",
            "::/129",
            "x",
            "1.2.3.4/8/8",
            "01.2.3.4",
            " 1.2.3.4",
        ] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
