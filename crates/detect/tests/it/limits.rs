//! Every limit, at its edge; and a bad line never stops the run.

use crate::golden::{AT, options, run};
use detect::{Format, Mapped, Mapper, OBSERVABLES_MAX, lines::LINE_BYTES_MAX};

fn one(line: &str, format: Format) -> Result<Mapped, String> {
    Mapper::new(options(Some(format))).line(line.as_bytes()).map_err(|error| error.to_string())
}

fn conn(rest: &str) -> String {
    format!(
        r#"{{"ts":{},"id.orig_h":"192.0.2.1","id.resp_h":"192.0.2.2","proto":"tcp","conn_state":"SF"{rest}}}"#,
        AT / 1_000_000
    )
}

#[test]
fn bad_lines_are_told_with_number_and_cause_and_the_others_go_on() {
    let good = conn("");
    let text = format!("{good}\nnonsense\n{{\"a\":\n[1]\n\u{0}\n{good}\n");
    let outcomes = run(&text, Some(Format::Zeek));
    let faults: Vec<&str> = outcomes.iter().filter_map(|(_, o)| o.as_ref().err()).map(String::as_str).collect();
    assert_eq!(faults.len(), 4, "{faults:?}");
    assert!(faults[0].starts_with("line 2: ") && faults[3].starts_with("line 5: "), "{faults:?}");
    let kept = outcomes.iter().filter(|(_, o)| matches!(o, Ok(Mapped::Observation(_)))).count();
    assert_eq!(kept, 2);
}

#[test]
fn a_line_at_the_limit_is_mapped_and_one_byte_more_is_refused() {
    let long = |bytes: usize| {
        let line = conn("");
        let filler = "x".repeat(bytes - line.len() - r#","pad":"""#.len());
        conn(&format!(r#","pad":"{filler}""#))
    };
    assert_eq!(long(LINE_BYTES_MAX).len(), LINE_BYTES_MAX);
    assert!(one(&long(LINE_BYTES_MAX), Format::Zeek).is_ok());
    assert!(one(&long(LINE_BYTES_MAX + 1), Format::Zeek).unwrap_err().contains("more than 1048576"));
}

#[test]
fn values_and_their_number_are_bounded() {
    let uri = |bytes: usize| {
        format!(
            r#"{{"ts":1,"id.orig_h":"192.0.2.1","id.resp_h":"192.0.2.2","method":"GET","trans_depth":1,"uri":"/{}"}}"#,
            "a".repeat(bytes - 1)
        )
    };
    assert!(one(&uri(64 * 1024), Format::Zeek).is_ok());
    assert!(one(&uri(64 * 1024 + 1), Format::Zeek).unwrap_err().contains("field `uri`: it has 65537 bytes"));
    let answers = |count: usize| {
        let answers: Vec<String> = (0..count).map(|i| format!("\"2001:db8::{i:x}\"")).collect();
        format!(
            r#"{{"ts":1,"id.orig_h":"192.0.2.1","id.resp_h":"192.0.2.2","proto":"udp","query":"a.example","answers":[{}]}}"#,
            answers.join(",")
        )
    };
    let Ok(Mapped::Observation(whole)) = one(&answers(256), Format::Zeek) else { panic!("256 answers are taken") };
    assert_eq!(whole.objects.len(), 256 + 4);
    assert!(whole.objects.len() <= OBSERVABLES_MAX);
    assert!(one(&answers(257), Format::Zeek).unwrap_err().contains("more than 256 values"));
}

#[test]
fn deep_json_utf_16_and_bytes_that_are_no_text_are_refused() {
    assert!(one(&conn(&format!(r#","x":{}{}"#, "[".repeat(200), "]".repeat(200))), Format::Zeek).is_err());
    let raw = |bytes: &[u8]| Mapper::new(options(None)).line(bytes).map_err(|e| e.to_string());
    assert_eq!(raw(b"\xff\xfe{\x00}\x00").unwrap_err(), "line 1: the file is UTF-16; save it as UTF-8");
    assert_eq!(raw(b"abc\x80").unwrap_err(), "line 1: it is not UTF-8 (byte 4)");
    assert!(raw(b"{\"neither\":\"of them\"}").unwrap_err().contains("not recognised"));
}

#[test]
fn a_file_that_is_one_array_with_an_event_a_line_is_read() {
    let text = format!("[\n{},\n{}\n]\n", conn(""), conn(r#","orig_bytes":1"#));
    let kept = run(&text, None).into_iter().filter(|(_, o)| matches!(o, Ok(Mapped::Observation(_)))).count();
    assert_eq!(kept, 2);
}
