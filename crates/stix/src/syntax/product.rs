//! CPE 2.3 formatted strings (NISTIR 7695, section 6.2).

use super::Verdict;

/// Components after `cpe:2.3:`.
const COMPONENTS: usize = 11;

pub(super) fn cpe(text: &str) -> Verdict {
    const INSTEAD: Verdict = Verdict::Wrong("write a CPE 2.3 name, e.g. `cpe:2.3:a:vendor:product:1.0:*:*:*:*:*:*:*`");
    let Some(body) = text.strip_prefix("cpe:2.3:") else { return INSTEAD };
    let mut count = 0;
    let mut start = 0;
    let bytes = body.as_bytes();
    let mut at = 0;
    while at <= bytes.len() {
        match bytes.get(at) {
            Some(b'\\') => at += 1,
            Some(b':') | None => {
                let component = body.get(start..at).unwrap_or_default();
                let valid = match count {
                    0 => matches!(component, "a" | "o" | "h" | "*" | "-"),
                    _ => is_component(component),
                };
                if !valid {
                    return INSTEAD;
                }
                count += 1;
                start = at + 1;
            }
            Some(_) => {}
        }
        at += 1;
    }
    if count == COMPONENTS { Verdict::Right } else { INSTEAD }
}

/// `*`, `-`, or characters with `*` or `?` only at the ends; what is neither letter, digit, `_`, `-` nor `.` is escaped.
fn is_component(component: &str) -> bool {
    if matches!(component, "*" | "-") {
        return true;
    }
    let wildcard = |c: char| c == '?' || c == '*';
    let core = component.trim_start_matches(wildcard);
    // An escaped wildcard at the end is part of the core.
    let end = core.trim_end_matches(wildcard);
    let core = if end.ends_with('\\') { core } else { end };
    if core.is_empty() {
        return false;
    }
    let mut chars = core.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(escaped) if escaped.is_ascii_graphic() => {}
                _ => return false,
            },
            c if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '~') => {}
            _ => return false,
        }
    }
    true
}
