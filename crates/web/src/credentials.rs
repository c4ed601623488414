//! What a request brought to prove who it is (rule 4 of the client contract). Scheme names are compared without case.

use crate::limits::AUTHORIZATION_BYTES_MAX;
use axum::http::{HeaderMap, HeaderName, header};
use base64::{Engine as _, alphabet::STANDARD, engine};
use taxii::server::Credentials;

/// base64 with or without padding: clients send both.
const BASE64: engine::GeneralPurpose = engine::GeneralPurpose::new(
    &STANDARD,
    engine::GeneralPurposeConfig::new().with_decode_padding_mode(engine::DecodePaddingMode::Indifferent),
);

/// Something that is no credentials of a kind we know: never the same as having brought none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads `Authorization`, else the header for API keys if one is set up.
pub(crate) fn read(headers: &HeaderMap, api_key_header: Option<&HeaderName>) -> Result<Option<Credentials>, Malformed> {
    if let Some(value) = single(headers, &header::AUTHORIZATION)? {
        return authorization(value).map(Some).ok_or(Malformed);
    }
    let Some(name) = api_key_header else { return Ok(None) };
    let Some(value) = single(headers, name)? else { return Ok(None) };
    token(value).map(Some).ok_or(Malformed)
}

fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Malformed> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() || value.len() > AUTHORIZATION_BYTES_MAX {
        return Err(Malformed);
    }
    value.to_str().map(Some).map_err(|_| Malformed)
}

fn authorization(value: &str) -> Option<Credentials> {
    let (scheme, rest) = value.trim().split_once(' ')?;
    let rest = rest.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => {
            let text = String::from_utf8(BASE64.decode(rest).ok()?).ok()?;
            let (user, password) = text.split_once(':')?;
            Some(Credentials::Basic { user: user.to_owned(), password: password.to_owned() })
        }
        "bearer" | "token" => token(rest),
        _ => None,
    }
}

fn token(text: &str) -> Option<Credentials> {
    let text = text.trim();
    (!text.is_empty() && text.bytes().all(|c| c.is_ascii_graphic())).then(|| Credentials::Token(text.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    fn shown(result: Result<Option<Credentials>, Malformed>) -> String {
        match result {
            Ok(Some(Credentials::Basic { user, password })) => format!("basic {user}|{password}"),
            Ok(Some(Credentials::Token(token))) => format!("token {token}"),
            Ok(Some(Credentials::Certificate(_))) => panic!("no header holds a certificate"),
            Ok(None) => "none".to_owned(),
            Err(Malformed) => "malformed".to_owned(),
        }
    }

    /// T-136, rule 4 of the client contract.
    #[test]
    fn schemes_are_read_without_case_and_a_password_may_hold_colons() {
        let cases = [
            ("Basic dTpwOnE=", "basic u|p:q"),
            ("basic dTpwOnE", "basic u|p:q"),
            ("BASIC  dTo=", "basic u|"),
            ("Bearer abc.def", "token abc.def"),
            ("token abc", "token abc"),
            ("Basic", "malformed"),
            ("Basic ???", "malformed"),
            ("Basic dXA=", "malformed"),
            ("Basic //8=", "malformed"),
            ("Digest username=\"u\"", "malformed"),
            ("Bearer ", "malformed"),
            ("Bearer a b", "malformed"),
            ("", "malformed"),
        ];
        for (value, expected) in cases {
            assert_eq!(shown(read(&headers(&[("authorization", value)]), None)), expected, "{value}");
        }
        assert_eq!(shown(read(&headers(&[]), None)), "none");
    }

    #[test]
    fn two_or_overlong_headers_are_never_taken_for_none() {
        assert_eq!(
            shown(read(&headers(&[("authorization", "Bearer a"), ("authorization", "Bearer b")]), None)),
            "malformed"
        );
        for (length, expected) in [(AUTHORIZATION_BYTES_MAX, true), (AUTHORIZATION_BYTES_MAX + 1, false)] {
            let value = format!("Bearer {}", "a".repeat(length - "Bearer ".len()));
            assert_eq!(read(&headers(&[("authorization", &value)]), None).is_ok(), expected);
        }
    }

    #[test]
    fn an_api_key_header_counts_only_where_it_is_set_up_and_after_authorization() {
        let name = HeaderName::from_static("x-api-key");
        let both = headers(&[("x-api-key", "k"), ("authorization", "Bearer t")]);
        assert_eq!(shown(read(&headers(&[("x-api-key", "k")]), None)), "none");
        assert_eq!(shown(read(&headers(&[("x-api-key", "k")]), Some(&name))), "token k");
        assert_eq!(shown(read(&both, Some(&name))), "token t");
    }
}
