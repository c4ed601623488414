//! TAXII timestamps: `date_added`, the two `X-TAXII-Date-Added` headers, `added_after`, `request_timestamp` (T-006, TD-05).
//!
//! They are microseconds since 1970 in this crate. STIX timestamps, which keep their spelling, are [`stix::Timestamp`].

const SECOND_US: i64 = 1_000_000;
const DAY_S: i64 = 86_400;
/// First instant that can be written with a year of four digits, in microseconds.
const EARLIEST_US: i64 = -62_167_219_200 * SECOND_US;
/// Last instant that can be written with a year of four digits, in microseconds.
const LATEST_US: i64 = 253_402_300_800 * SECOND_US - 1;

/// Writes `YYYY-MM-DDTHH:MM:SS.ssssssZ`, always six digits (T-006). Years outside 0000 to 9999 are clamped.
pub fn format(us: i64) -> String {
    let us = us.clamp(EARLIEST_US, LATEST_US);
    let seconds = us.div_euclid(SECOND_US);
    let fraction = us.rem_euclid(SECOND_US);
    let (year, month, day) = civil(seconds.div_euclid(DAY_S));
    let second = seconds.rem_euclid(DAY_S);
    let mut text = String::with_capacity("0000-00-00T00:00:00.000000Z".len());
    // A manifest has a thousand of them: digit by digit, without the formatting machinery.
    for (number, width, after) in [
        (year, 4, '-'),
        (month, 2, '-'),
        (day, 2, 'T'),
        (second / 3600, 2, ':'),
        (second / 60 % 60, 2, ':'),
        (second % 60, 2, '.'),
        (fraction, 6, 'Z'),
    ] {
        let mut place = 10_i64.pow(width - 1);
        while place > 0 {
            text.push(DIGITS[usize::try_from(number / place % 10).unwrap_or_default()]);
            place /= 10;
        }
        text.push(after);
    }
    text
}

const DIGITS: [char; 10] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/// Reads an RFC 3339 timestamp with any offset and 0 to 9 digits of fraction (TD-05 and rule 10 of the client contract), rounded **down** to a microsecond.
///
/// Down is right for `added_after`: for whole microseconds `d`, `d > x` holds exactly if `d > floor(x)`, so "strictly later" (T-033) stays true.
/// A leap second counts as the second after it. `None`: not RFC 3339, a date that does not exist, or an instant that UTC cannot write with four digits of year.
pub fn parse(text: &str) -> Option<i64> {
    let b = text.as_bytes();
    if b.len() < "0000-00-00T00:00:00Z".len() || !matches!(b[10], b'T' | b't') {
        return None;
    }
    if (b[4], b[7], b[13], b[16]) != (b'-', b'-', b':', b':') {
        return None;
    }
    let (year, month, day) = (number(&b[0..4])?, number(&b[5..7])?, number(&b[8..10])?);
    let (hour, minute, second) = (number(&b[11..13])?, number(&b[14..16])?, number(&b[17..19])?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let date = jiff::civil::Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
    let mut rest = &b[19..];
    let mut micros = 0;
    if let Some(after) = rest.strip_prefix(b".") {
        let digits = after.iter().take_while(|c| c.is_ascii_digit()).count();
        if digits == 0 || digits > 9 {
            return None;
        }
        for place in 0..6 {
            micros = micros * 10 + after[..digits].get(place).map_or(0, |c| i64::from(c - b'0'));
        }
        rest = &after[digits..];
    }
    let offset_s = match rest {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 3600 + minutes * 60) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let seconds = days(date) * DAY_S + hour * 3600 + minute * 60 + second - offset_s;
    let us = seconds * SECOND_US + micros;
    (EARLIEST_US..=LATEST_US).contains(&us).then_some(us)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |n, c| c.is_ascii_digit().then(|| n * 10 + i64::from(c - b'0')))
}

/// Days since 1970 of a date of the proleptic Gregorian calendar, in eras of 400 years that begin in March.
fn days(date: jiff::civil::Date) -> i64 {
    let (month, day) = (i64::from(date.month()), i64::from(date.day()));
    let year = i64::from(date.year()) - i64::from(month <= 2);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The reverse of [`days`].
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + shifted.div_euclid(146_097) * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// T-006.
    #[test]
    fn six_digits_are_written_also_when_the_micros_are_zero() {
        assert_eq!(format(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(format(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(format(1_700_000_000_000_001), "2023-11-14T22:13:20.000001Z");
        assert_eq!(format(i64::MAX), "9999-12-31T23:59:59.999999Z");
        assert_eq!(format(i64::MIN), "0000-01-01T00:00:00.000000Z");
    }

    /// TD-05, rule 10 of the client contract.
    #[test]
    fn any_offset_and_none_to_nine_digits_are_read_and_rounded_down() {
        let noon = parse("2024-02-29T12:00:00Z").unwrap();
        for same in [
            "2024-02-29T12:00:00.0Z",
            "2024-02-29t12:00:00.000000000z",
            "2024-02-29T21:00:00+09:00",
            "2024-02-29T06:30:00-05:30",
        ] {
            assert_eq!(parse(same), Some(noon), "{same}");
        }
        assert_eq!(parse("2024-02-29T12:00:00.000001999Z"), Some(noon + 1));
        assert_eq!(parse("1969-12-31T23:59:59.999999999Z"), Some(-1));
        assert_eq!(parse("1969-12-31T23:59:59.1234567Z"), Some(-876_544));
        assert_eq!(parse("2016-12-31T23:59:60Z"), parse("2017-01-01T00:00:00Z"));
        assert_eq!(format(parse("9999-12-31T23:59:59.999999999Z").unwrap()), "9999-12-31T23:59:59.999999Z");
    }

    /// T-030.
    #[test]
    fn what_is_not_rfc_3339_is_refused() {
        for bad in [
            "",
            "yesterday",
            "2024-02-29",
            "2024-02-30T12:00:00Z",
            "2023-02-29T12:00:00Z",
            "2024-02-29 12:00:00Z",
            "2024-02-29T24:00:00Z",
            "2024-02-29T12:60:00Z",
            "2024-02-29T12:00:61Z",
            "2024-02-29T12:00:00",
            "2024-02-29T12:00:00.Z",
            "2024-02-29T12:00:00.0123456789Z",
            "2024-02-29T12:00:00+0900",
            "2024-02-29T12:00:00+24:00",
            "2024-02-29T12:00:00Zx",
            "2024-02-29T12:00Z",
            "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "+024-02-29T12:00:00Z",
            "２０２４-02-29T12:00:00Z",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(us in EARLIEST_US..=LATEST_US) {
            prop_assert_eq!(parse(&format(us)), Some(us));
        }

        #[test]
        fn writing_agrees_with_an_independent_calendar(us in EARLIEST_US..253_000_000_000_000_000_i64) {
            let other = jiff::Timestamp::from_microsecond(us).unwrap();
            prop_assert_eq!(format(us), format!("{other:.6}"));
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".{0,40}") {
            let _ = parse(&text);
        }
    }
}
