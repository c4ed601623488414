//! Strings with a form of their own: encodings, addresses, tags. Each is a marker type for [`Token`](crate::model::Token) and a scanner without allocation.

mod address;
mod charset;
mod domain;
mod product;
mod tag;
mod url;

/// What a scanner says about a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It has the form.
    Right,
    /// It is kept, though the standard asks for something else; what to do instead.
    Loose(&'static str),
    /// It has not the form; what to do instead.
    Wrong(&'static str),
}

/// A form and its scanner.
#[derive(Debug)]
pub struct Syntax {
    /// In words, for messages.
    pub name: &'static str,
    /// The requirement.
    pub requirement: &'static str,
    /// The scanner.
    pub check: fn(&str) -> Verdict,
}

/// A form known at compile time.
pub trait Form {
    /// Its table.
    const TABLE: &'static Syntax;
}

macro_rules! forms { ($($(#[doc = $doc:literal])* $name:ident = $text:literal $requirement:literal $check:path;)*) => { $(
    $(#[doc = $doc])*
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum $name {}
    impl Form for $name {
        const TABLE: &'static Syntax = &Syntax { name: $text, requirement: $requirement, check: $check };
    }
)* } }

forms! {
    /// RFC 4648 base64 with padding (S-002).
    Base64 = "base64" "S-002" base64;
    /// Pairs of lower-case hexadecimal digits (S-012); upper case is kept with a warning (SK-11).
    Hex = "hexadecimal digits" "S-012" hex;
    /// An absolute URI of RFC 3986 (S-117).
    Url = "a URL" "S-117" url::url;
    /// A domain name of RFC 1034, labels as RFC 5890 has them (S-099); underscores are kept with a warning (SD-07).
    DomainName = "a domain name" "S-099" domain::domain_name;
    /// An addr-spec of RFC 5322 (S-100).
    EmailAddress = "an e-mail address" "S-100" domain::email_address;
    /// An IPv4 address or network (S-106).
    Ipv4 = "an IPv4 address" "S-106" address::ipv4;
    /// An IPv6 address or network (S-106).
    Ipv6 = "an IPv6 address" "S-106" address::ipv6;
    /// Six pairs of lower-case hexadecimal digits with colons (S-107).
    MacAddress = "a MAC address" "S-107" address::mac;
    /// A CPE 2.3 formatted string (S-116); whether the NVD lists it is not looked up.
    Cpe = "a CPE 2.3 name" "S-116" product::cpe;
    /// A language tag of RFC 5646 (S-033); the registry of subtags is not looked up.
    LanguageTag = "a language tag" "S-033" tag::language;
    /// A character set name of the IANA registry (S-042).
    CharacterSet = "a character set" "S-042" charset::character_set;
    /// Lower-case letters, digits, hyphens (S-087).
    RelationshipType = "a relationship type" "S-087" relationship_type;
}

fn base64(text: &str) -> Verdict {
    let bytes = text.as_bytes();
    let body = bytes.strip_suffix(b"==").or_else(|| bytes.strip_suffix(b"=")).unwrap_or(bytes);
    let alphabet = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    if !bytes.len().is_multiple_of(4) {
        return Verdict::Wrong("its length must be a multiple of 4, padded with `=`");
    }
    if !body.iter().all(alphabet) {
        return Verdict::Wrong("it may hold only A-Z, a-z, 0-9, `+`, `/`, and `=` at its end");
    }
    // The bits that the last character has too many must be 0, or two texts would say the same bytes.
    let low = |b: u8| match b {
        b'A'..=b'Z' => b - b'A',
        b'a'..=b'z' => b - b'a' + 26,
        b'0'..=b'9' => b - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let spare = match bytes.len() - body.len() {
        1 => 0b11,
        2 => 0b1111,
        _ => 0,
    };
    match body.last() {
        Some(last) if low(*last) & spare != 0 => Verdict::Loose("the unused bits of its last character should be 0"),
        _ => Verdict::Right,
    }
}

fn hex(text: &str) -> Verdict {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) || text.is_empty() {
        return Verdict::Wrong("write an even number of hexadecimal digits");
    }
    if text.bytes().any(|b| b.is_ascii_uppercase()) { Verdict::Loose("use lower-case digits") } else { Verdict::Right }
}

fn relationship_type(text: &str) -> Verdict {
    let valid = !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if valid { Verdict::Right } else { Verdict::Wrong("use only a-z, 0-9 and hyphens, e.g. `related-to`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<F: Form>(text: &str) -> char {
        match (F::TABLE.check)(text) {
            Verdict::Right => 'r',
            Verdict::Loose(_) => 'l',
            Verdict::Wrong(_) => 'w',
        }
    }

    fn all<F: Form>(verdict: char, texts: &[&str]) {
        for text in texts {
            assert_eq!(of::<F>(text), verdict, "{}: `{text}`", F::TABLE.name);
        }
    }

    #[test]
    fn binary_is_padded_base64() {
        // S-002
        all::<Base64>('r', &["", "AAEC", "AA==", "AAE=", "+/+/"]);
        all::<Base64>('w', &["A", "AA", "AAE", "AA=A", "A===", "AA =", "AA-_", "====", "AAEC\n"]);
        all::<Base64>('l', &["AB==", "AAF="]);
    }

    #[test]
    fn hex_is_pairs_of_lower_case_digits() {
        // S-012, SK-11
        all::<Hex>('r', &["ff", "0123456789abcdef"]);
        all::<Hex>('l', &["FF", "aB"]);
        all::<Hex>('w', &["", "f", "fff", "0x", "gg", "ｆｆ"]);
    }

    #[test]
    fn urls_have_a_scheme_and_no_spaces() {
        // S-117
        all::<Url>(
            'r',
            &[
                "https://example.com/a?b=c#d",
                "urn:isbn:1",
                "mailto:a@b",
                "http://[2001:db8::1]:80/x",
                "http://example.com",
                "https://example.com/%E4%BD%A0",
                "ftp://u:p@h/",
                "data:,x",
                "http://example.com/(a)*!$&'+,;=:@",
            ],
        );
        all::<Url>(
            'w',
            &[
                "",
                "example.com/x",
                "hugesoft.org",
                " https://example.com",
                "https://example.com/a b",
                "https://example.com/%zz",
                "https://example.com/%4",
                "1http://x",
                "://x",
                "https://example.com/你",
                "https://example.com/<a>",
                "https://example.com/a#b#c",
                "http://[::1/x",
                "http://a]b/",
                "http://x/[1]",
                "http://h:port/",
                "http://[not-an-address]/",
            ],
        );
    }

    #[test]
    fn domain_names_are_labels_of_63_bytes() {
        // S-099, SD-07
        let long = "a".repeat(63);
        all::<DomainName>(
            'r',
            &[
                "example.com",
                "a",
                "xn--bcher-kva.example",
                "bücher.example",
                "1.2.example",
                "a-b.c",
                "example.com.",
                &long,
            ],
        );
        all::<DomainName>('l', &["_dmarc.example", "a_b.example"]);
        let longer = "a".repeat(64);
        let whole = format!("{0}.{0}.{0}.{0}", "a".repeat(63));
        all::<DomainName>(
            'w',
            &[
                "",
                ".",
                "a..b",
                ".a",
                "-a.b",
                "a-.b",
                "a b",
                "a/b",
                "*.example.com",
                "a@b",
                "example.com:80",
                &longer,
                &whole,
            ],
        );
    }

    #[test]
    fn mail_addresses_have_no_display_name() {
        // S-100
        all::<EmailAddress>(
            'r',
            &[
                "a@b",
                "john.doe+x@example.com",
                "\"a b\"@example.com",
                "x@[192.0.2.1]",
                "jan.novák@example.com",
                "!#$%&'*+/=?^_`{|}~-@b",
            ],
        );
        all::<EmailAddress>(
            'w',
            &["", "a", "@b", "a@", "Bob <b@x>", "<b@x>", "a b@c", "a..b@c", ".a@b", "a.@b", "a@b@c", "\"a@b"],
        );
    }

    #[test]
    fn addresses_may_be_networks() {
        // S-106
        all::<Ipv4>('r', &["1.2.3.4", "10.2.4.5/24", "0.0.0.0/0", "1.2.3.4/32"]);
        all::<Ipv4>(
            'w',
            &[
                "",
                "999.1.1.1",
                "10.0.0.0/33",
                "1.2.3",
                "1.2.3.4/",
                "1.2.3.4/+1",
                "1.2.3.4/08",
                "01.2.3.4",
                "::1",
                "1.2.3.4 ",
            ],
        );
        all::<Ipv6>('r', &["::1", "2001:db8::/32", "2001:DB8::1/128", "::ffff:1.2.3.4"]);
        all::<Ipv6>('w', &["", "1.2.3.4", ":::", "2001:db8::/129", "fe80::1%eth0", "[::1]", "1:2:3:4:5:6:7:8:9"]);
    }

    #[test]
    fn mac_addresses_are_lower_case_with_colons() {
        // S-107
        all::<MacAddress>('r', &["d2:fb:49:24:37:18"]);
        all::<MacAddress>(
            'w',
            &[
                "D2:fb:49:24:37:18",
                "d2-fb-49-24-37-18",
                "d2fb49243718",
                "d2:fb:49:24:37",
                "d2:fb:49:24:37:1",
                "d2:fb:49:24:37:18:00",
                "g2:fb:49:24:37:18",
            ],
        );
    }

    #[test]
    fn language_tags_follow_rfc_5646() {
        // S-033, SK-12
        all::<LanguageTag>(
            'r',
            &[
                "en",
                "sr-Latn-RS",
                "de-CH-1901",
                "zh-cmn-Hans-CN",
                "es-419",
                "en-a-bbb-x-a-ccc",
                "x-whatever",
                "i-klingon",
                "sl-rozaj-biske",
                "EN-us",
                "qaa-Qaaa-QM-x-southern",
            ],
        );
        all::<LanguageTag>(
            'w',
            &[
                "",
                "zz-zz-zz",
                "e",
                "en_US",
                "en-",
                "-en",
                "en--US",
                "abcdefghi",
                "en-x",
                "en-a",
                "de-DE-1",
                "en-a-bbb-a-ccc",
                "a-DE",
                "日本",
            ],
        );
    }

    #[test]
    fn products_are_named_by_cpe_2_3() {
        // S-116
        all::<Cpe>(
            'r',
            &[
                "cpe:2.3:a:microsoft:word:16.0:*:*:*:*:*:*:*",
                "cpe:2.3:o:*:-:*:*:*:*:*:*:*:*",
                "cpe:2.3:h:a\\:b:c\\!d:*:*:*:en-us:*:*:*:*",
                "cpe:2.3:a:??a*:b:*:*:*:*:*:*:*:*",
            ],
        );
        all::<Cpe>(
            'w',
            &[
                "",
                "cpe:/a:microsoft:word",
                "cpe:2.3:a:microsoft:word",
                "cpe:2.3:x:a:b:*:*:*:*:*:*:*:*",
                "cpe:2.3:a:a:b:*:*:*:*:*:*:*:*:*",
                "cpe:2.3:a::b:*:*:*:*:*:*:*:*",
                "cpe:2.3:a:a b:b:*:*:*:*:*:*:*:*",
                "cpe:2.3:a:a*b:b:*:*:*:*:*:*:*:*",
            ],
        );
    }

    #[test]
    fn character_sets_are_registered_names() {
        // S-042
        all::<CharacterSet>('r', &["UTF-8", "windows-1251", "ISO-8859-1", "Shift_JIS", "KOI8-R"]);
        all::<CharacterSet>('l', &["utf-8", "latin1"]);
        all::<CharacterSet>('w', &["", "cp-foo", "unicode!"]);
    }

    #[test]
    fn relationship_types_have_hyphens() {
        // S-087
        all::<RelationshipType>('r', &["related-to", "x1"]);
        all::<RelationshipType>('w', &["", "related_to", "Uses", "a b"]);
    }
}
