//! Timestamps with their spelling kept (S-024, SD-02, SD-04).
//!
//! A timestamp is part of an object's identity (`id`, `modified`), so the text is never rewritten. Equality and order go by
//! [`Timestamp::key`], which is the text without what does not change the instant.

use crate::error::cut;
use jiff::{SignedDuration, civil};
use std::{cmp::Ordering, fmt, hash, str::FromStr};

/// Digits after the second that are accepted. The standard sets no bound (S-024); 64 is far finer than any clock and keeps keys short.
pub const FRACTION_DIGITS_MAX: usize = 64;
/// `YYYY-MM-DDTHH:mm:ss`.
const WHOLE_SECOND_BYTES: usize = 19;
const EPOCH: civil::DateTime = civil::datetime(1970, 1, 1, 0, 0, 0, 0);
/// Longest text that an error repeats, in characters.
const ERROR_CHARS_MAX: usize = 40;
/// The first instant that can be written, 0000-01-01T00:00:00Z, in microseconds since 1970.
const MICROS_MIN: i64 = -62_167_219_200_000_000;
/// The last microsecond that can be written, 9999-12-31T23:59:59.999999Z, in microseconds since 1970.
const MICROS_MAX: i64 = 253_402_300_799_999_999;

/// A STIX timestamp. `==` and ordering compare instants (T-058); the text is as received.
#[derive(Debug, Clone)]
pub struct Timestamp {
    text: Box<str>,
    /// How much of the text is the key.
    key_bytes: usize,
}

impl Timestamp {
    /// Parses `YYYY-MM-DDTHH:mm:ss[.s+]Z` (S-024). The second 60 is accepted in any minute (SD-02), a missing fraction too (SD-04).
    ///
    /// # Errors
    /// Any other form, a date or time that does not exist, or more than [`FRACTION_DIGITS_MAX`] digits after the second.
    pub fn parse(s: &str) -> Result<Self, TimestampError> {
        match scan(s) {
            Ok(key) => Ok(Self { text: s.into(), key_bytes: key.len() }),
            Err(why) => Err(TimestampError { text: cut(s, ERROR_CHARS_MAX), why }),
        }
    }

    /// Whether the text is a timestamp, without making one.
    ///
    /// # Errors
    /// What is wrong, as [`Timestamp::parse`] tells it.
    pub fn check(s: &str) -> Result<(), &'static str> {
        scan(s).map(|_| ())
    }

    /// The order of two texts as instants; `None` if one of them is no timestamp.
    pub fn order(a: &str, b: &str) -> Option<Ordering> {
        Some(scan(a).ok()?.cmp(scan(b).ok()?))
    }

    /// Digits after the second in a text that is a timestamp.
    pub(crate) fn fraction_digits(s: &str) -> usize {
        s.len().saturating_sub(WHOLE_SECOND_BYTES + ".Z".len())
    }

    /// The instant with milliseconds, or finer if it is finer, without zeros beyond them (S-029, SD-09).
    pub fn millis_or_finer(&self) -> String {
        let whole = self.key().get(..WHOLE_SECOND_BYTES).unwrap_or_default();
        let digits = self.key().get(WHOLE_SECOND_BYTES + 1..).unwrap_or_default();
        format!("{whole}.{digits:0<3}Z")
    }

    /// The text as received.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The instant as text that sorts as instants do: no `Z`, no trailing zeros of the fraction. Stable: databases hold it.
    ///
    /// The second 60 sorts after every fraction of :59 and before the next minute (SD-02).
    pub fn key(&self) -> &str {
        self.text.get(..self.key_bytes).unwrap_or_default()
    }

    /// Microseconds since 1970, rounded down; what lies outside `i64` is clamped. The second 60 counts as the last microsecond of :59 (SD-02).
    pub fn micros(&self) -> i64 {
        self.seconds().saturating_mul(1_000_000).saturating_add(self.fraction(6))
    }

    /// Nanoseconds since 1970, rounded down. The second 60 counts as the last nanosecond of :59 (SD-02).
    pub fn nanos(&self) -> i128 {
        i128::from(self.seconds()) * 1_000_000_000 + i128::from(self.fraction(9))
    }

    /// Whole seconds since 1970.
    fn seconds(&self) -> i64 {
        let whole = self.key().get(..WHOLE_SECOND_BYTES).unwrap_or_default();
        let [year, month, day, hour, minute, second] = fields(whole);
        // Fields were checked by `parse`, so that the fallbacks are never taken.
        let narrow = |n: u16| i8::try_from(n).unwrap_or_default();
        let civil = civil::DateTime::new(
            i16::try_from(year).unwrap_or_default(),
            narrow(month),
            narrow(day),
            narrow(hour),
            narrow(minute),
            narrow(second.min(59)),
            0,
        );
        civil.map_or(0, |at| at.duration_since(EPOCH).as_secs())
    }

    /// The first `digits` digits after the second; all nines in the second 60.
    fn fraction(&self, digits: u32) -> i64 {
        if self.key().get(17..WHOLE_SECOND_BYTES) == Some("60") {
            return 10_i64.pow(digits) - 1;
        }
        let written = self.key().get(WHOLE_SECOND_BYTES + 1..).unwrap_or_default().bytes();
        let padded = written.chain(std::iter::repeat(b'0')).take(digits as usize);
        padded.fold(0, |n, digit| n * 10 + i64::from(digit.wrapping_sub(b'0')))
    }

    /// `YYYY-MM-DDTHH:MM:SS.ssssssZ` (T-006). What lies outside the years 0000 to 9999 is clamped to them.
    pub fn from_micros(us: i64) -> Self {
        let since = SignedDuration::from_micros(us.clamp(MICROS_MIN, MICROS_MAX));
        // Inside these bounds the sum exists.
        let civil = EPOCH.checked_add(since).unwrap_or(EPOCH);
        let micros = civil.subsec_nanosecond() / 1000;
        let whole = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second()
        );
        let body = format!("{whole}.{micros:06}");
        let key_bytes = body.trim_end_matches('0').trim_end_matches('.').len();
        Self { text: format!("{body}Z").into(), key_bytes }
    }
}

/// The key of a text that is a timestamp, or why it is none.
fn scan(s: &str) -> Result<&str, &'static str> {
    let body = s.strip_suffix('Z').ok_or("it must end in a capital `Z`")?;
    let whole = body.get(..WHOLE_SECOND_BYTES).ok_or("it must have the form `YYYY-MM-DDTHH:mm:ss[.s+]Z`")?;
    let form =
        whole.bytes().zip(b"dddd-dd-ddTdd:dd:dd").all(|(b, f)| if *f == b'd' { b.is_ascii_digit() } else { b == *f });
    if !form {
        return Err("it must have the form `YYYY-MM-DDTHH:mm:ss[.s+]Z`");
    }
    let [year, month, day, hour, minute, second] = fields(whole);
    let date = i16::try_from(year).ok().zip(i8::try_from(month).ok()).zip(i8::try_from(day).ok());
    if date.and_then(|((y, m), d)| civil::Date::new(y, m, d).ok()).is_none() {
        return Err("there is no such date");
    }
    if hour > 23 || minute > 59 || second > 60 {
        return Err("there is no such time of day");
    }
    match body.get(WHOLE_SECOND_BYTES..).unwrap_or_default() {
        "" => Ok(whole),
        fraction => {
            let digits = fraction.strip_prefix('.').ok_or("only a fraction may follow the second")?;
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err("a dot must be followed by digits");
            }
            if digits.len() > FRACTION_DIGITS_MAX {
                return Err("it has more than 64 digits after the second");
            }
            Ok(body.trim_end_matches('0').trim_end_matches('.'))
        }
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(s: &str) -> Result<Self, TimestampError> {
        Self::parse(s)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Timestamp {
    fn eq(&self, o: &Self) -> bool {
        self.key() == o.key()
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, o: &Self) -> Option<Ordering> {
        Some(self.cmp(o))
    }
}

impl Ord for Timestamp {
    fn cmp(&self, o: &Self) -> Ordering {
        self.key().cmp(o.key())
    }
}

impl hash::Hash for Timestamp {
    fn hash<H: hash::Hasher>(&self, h: &mut H) {
        self.key().hash(h);
    }
}

/// Why a text is no STIX timestamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no STIX timestamp: {why}")]
pub struct TimestampError {
    /// The text, cut to 40 characters.
    pub text: String,
    /// What is wrong.
    pub why: &'static str,
}

/// Year, month, day, hour, minute, second of a text of the form `YYYY-MM-DDTHH:mm:ss`; zero if it is shorter.
fn fields(whole: &str) -> [u16; 6] {
    let Some(whole) = whole.as_bytes().first_chunk::<WHOLE_SECOND_BYTES>() else { return [0; 6] };
    let number = |digits: &[u8]| digits.iter().fold(0, |n, digit| n * 10 + u16::from(digit & 0x0f));
    [&whole[0..4], &whole[5..7], &whole[8..10], &whole[11..13], &whole[14..16], &whole[17..19]].map(number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(s: &str) -> Timestamp {
        Timestamp::parse(s).unwrap()
    }

    #[test]
    fn the_spelling_is_kept_and_instants_are_compared() {
        // S-024, SD-04, T-058
        let spellings = ["2016-01-20T12:31:12Z", "2016-01-20T12:31:12.0Z", "2016-01-20T12:31:12.000000000Z"];
        for s in spellings {
            assert_eq!(at(s).as_str(), s);
            assert_eq!(at(s).key(), "2016-01-20T12:31:12");
            assert_eq!(at(s), at(spellings[0]));
        }
        assert_eq!(at("2016-01-20T12:31:12.120Z").key(), "2016-01-20T12:31:12.12");
        assert_eq!(at("2016-01-20T12:31:10Z").key(), "2016-01-20T12:31:10");
        assert_eq!(at("2016-01-20T12:31:12.123456789Z").as_str(), "2016-01-20T12:31:12.123456789Z");
    }

    #[test]
    fn the_second_60_lies_between_the_minutes() {
        // SD-02
        let order = [
            "2016-12-31T23:59:59Z",
            "2016-12-31T23:59:59.9Z",
            "2016-12-31T23:59:59.999999999Z",
            "2016-12-31T23:59:60Z",
            "2016-12-31T23:59:60.5Z",
            "2017-01-01T00:00:00Z",
        ];
        assert!(order.is_sorted_by(|a, b| at(a) < at(b)));
        assert_eq!(at("2016-12-31T23:59:60Z").micros(), at("2016-12-31T23:59:59.999999Z").micros());
    }

    #[test]
    fn other_forms_are_refused() {
        // S-024
        for bad in [
            "",
            "Z",
            "2016-01-20T12:31:12",
            "2016-01-20T12:31:12z",
            "2016-01-20t12:31:12Z",
            "2016-01-20 12:31:12Z",
            "2016-01-20T12:31:12.Z",
            "2016-01-20T12:31:12,5Z",
            "2016-01-20T12:31:12+00:00",
            "2016-01-20T12:31:12+00:00Z",
            "2016-01-20T12:31:12.5.5Z",
            "2016-1-20T12:31:12Z",
            "16-01-20T12:31:12Z",
            "+2016-01-20T12:31:12Z",
            "-016-01-20T12:31:12Z",
            "2016-02-30T12:31:12Z",
            "2015-02-29T12:31:12Z",
            "1900-02-29T12:31:12Z",
            "2016-00-20T12:31:12Z",
            "2016-13-20T12:31:12Z",
            "2016-01-00T12:31:12Z",
            "2016-01-32T12:31:12Z",
            "2016-01-20T24:00:00Z",
            "2016-01-20T12:60:12Z",
            "2016-01-20T12:31:61Z",
            "2016-01-20T12:31Z",
            "２016-01-20T12:31:12Z",
            "2016-01-20T12:31:12.٣Z",
            " 2016-01-20T12:31:12Z",
        ] {
            assert!(Timestamp::parse(bad).is_err(), "{bad}");
        }
        assert!(Timestamp::parse("2016-02-29T00:00:00Z").is_ok());
        assert!(Timestamp::parse("2000-02-29T00:00:00Z").is_ok());
    }

    #[test]
    fn a_fraction_has_at_most_64_digits() {
        let with = |digits: usize| format!("2016-01-20T12:31:12.{}Z", "1".repeat(digits));
        assert!(Timestamp::parse(&with(FRACTION_DIGITS_MAX)).is_ok());
        assert_eq!(
            Timestamp::parse(&with(FRACTION_DIGITS_MAX + 1)).unwrap_err().why,
            "it has more than 64 digits after the second"
        );
        assert!(Timestamp::parse(&with(100_000)).unwrap_err().text.chars().count() <= ERROR_CHARS_MAX + 1);
    }

    #[test]
    fn microseconds_are_rounded_down_and_written_with_six_digits() {
        // T-006
        assert_eq!(at("1970-01-01T00:00:00Z").micros(), 0);
        assert_eq!(at("1970-01-01T00:00:01.0000019Z").micros(), 1_000_001);
        assert_eq!(at("1969-12-31T23:59:59.9999999Z").micros(), -1);
        assert_eq!(at("1969-12-31T23:59:59.9999999999Z").nanos(), -1);
        assert_eq!(at("2024-02-29T12:00:00.000000005Z").nanos(), 1_709_208_000_000_000_005);
        assert_eq!(at("2016-12-31T23:59:60.5Z").nanos() + 1, at("2017-01-01T00:00:00Z").nanos());
        assert_eq!(at("2024-02-29T12:00:00.5Z").micros(), 1_709_208_000_500_000);
        assert_eq!(Timestamp::from_micros(1_709_208_000_500_000).as_str(), "2024-02-29T12:00:00.500000Z");
        assert_eq!(Timestamp::from_micros(0).as_str(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Timestamp::from_micros(-1).as_str(), "1969-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp::from_micros(i64::MAX).as_str(), "9999-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp::from_micros(i64::MIN).as_str(), "0000-01-01T00:00:00.000000Z");
        assert_eq!(at("0000-01-01T00:00:00Z").micros(), MICROS_MIN);
        assert_eq!(at("9999-12-31T23:59:59.999999Z").micros(), MICROS_MAX);
    }

    #[test]
    fn what_was_written_is_read_back_equal() {
        for us in [0, 1, -1, 999_999, 1_709_208_000_500_000, MICROS_MIN, MICROS_MAX] {
            let written = Timestamp::from_micros(us);
            let read = at(written.as_str());
            assert_eq!((read.micros(), read.key()), (us, written.key()));
        }
    }
}
