//! Properties over mutated samples: nothing panics, the same line always becomes the same objects, and what is given out can be taken in.

use crate::golden::{SAMPLES, options, sample};
use detect::{Format, Mapped, Mapper};
use proptest::prelude::*;

fn lines(format: Format) -> Vec<String> {
    let names = SAMPLES.iter().filter(move |(_, of)| *of == format).map(|(name, _)| *name);
    names.flat_map(|name| sample(name).lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn any_format() -> impl Strategy<Value = Format> {
    prop::sample::select(Format::ALL.to_vec())
}

/// A line of a sample with some bytes changed, cut or doubled.
fn mutated() -> impl Strategy<Value = (Format, Vec<u8>)> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 0..6);
    (any_format(), any::<prop::sample::Index>(), edits).prop_map(|(format, at, edits)| {
        let lines = lines(format);
        let mut line = at.get(&lines).clone().into_bytes();
        for (at, byte, kind) in edits {
            if line.is_empty() {
                break;
            }
            let at = at.index(line.len());
            match kind {
                0 => line[at] = byte,
                1 => line.truncate(at),
                2 => line.insert(at, byte),
                _ => {
                    let tail = line[at..].to_vec();
                    line.extend(tail);
                }
            }
        }
        (format, line)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// S-044, S-079.
    #[test]
    fn a_mutated_line_is_refused_or_becomes_sound_objects((format, line) in mutated()) {
        let map = || Mapper::new(options(Some(format))).line(&line);
        let outcome = map();
        prop_assert_eq!(&outcome, &map());
        if let Ok(Mapped::Observation(observation)) = outcome {
            prop_assert!(observation.first <= observation.last);
            for object in observation.into_objects() {
                let text = serde_json::Value::Object(object).to_string();
                prop_assert!(stix::Object::parse(&text, &stix::Limits::default()).is_ok(), "{}", text);
            }
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_mapper_forgets_a_bad_line((format, line) in mutated()) {
        let good = lines(format);
        let mut fresh = Mapper::new(options(Some(format)));
        let mut used = Mapper::new(options(Some(format)));
        // A header is state by design.
        prop_assume!(!line.starts_with(b"#"));
        let _ = used.line(&line);
        for line in &good {
            let (a, b) = (fresh.line(line.as_bytes()), used.line(line.as_bytes()));
            prop_assert_eq!(a.map_err(|e| e.cause), b.map_err(|e| e.cause));
        }
    }
}
