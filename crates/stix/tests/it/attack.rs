//! What anybody may send: bodies of the fuzz targets (`fuzz/README.md`). Nothing may panic, and what is accepted keeps its promises.

use stix::{
    AnyId, Limits, Object, Selector, Timestamp, bundle as bundles, canonical as form, convert,
    convert::{Strictness, Survey},
    granular_marking,
    pattern::{Bounds, Engine, Matcher, Observation, Sco, Version, parse_version},
    stream,
};

/// S-001, I3: a document is refused as a whole, or each of its objects is read or refused by itself.
pub(crate) fn bundle(data: &[u8]) {
    let limits = Limits::default();
    let Ok(bundle) = bundles::read(data, &limits) else { return };
    for (outcome, part) in bundle.objects(&limits).zip(bundle.parts()) {
        match outcome {
            Ok(object) => accepted(&object, part),
            Err(rejected) => assert!(rejected.error.path.starts_with(&format!("/objects/{}", rejected.index))),
        }
    }
}

/// S-001: whatever is a document for [`bundle`] is one for the stream, with the same objects; what the stream refuses, `bundle` refuses too.
pub(crate) fn streamed(data: &[u8]) {
    let limits = Limits { object_bytes_max: 4_096, ..Limits::default() };
    // In pieces, so that every place becomes a border once in a while.
    let pieces = data.first().map_or(1, |b| usize::from(*b) + 1);
    let mut input = stream::Stream::new(Pieces { data, most: pieces }, limits.clone());
    let mut parts = Vec::new();
    let outcome = loop {
        match input.next_element() {
            Ok(Some(stream::Element::Part { raw, .. })) => parts.push(Some(raw.to_owned())),
            Ok(Some(stream::Element::Rejected { .. })) => parts.push(None),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let Ok(bundle) = bundles::read(data, &limits) else { return };
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!((input.shape(), input.count()), (bundle.shape(), bundle.parts().len()));
    for (one, other) in parts.iter().zip(bundle.parts()) {
        assert_eq!(one.as_deref(), (other.len() <= limits.object_bytes_max).then_some(*other));
    }
}

struct Pieces<'a> {
    data: &'a [u8],
    most: usize,
}

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.data.len().min(self.most).min(out.len());
        let (now, later) = self.data.split_at(count);
        out[..count].copy_from_slice(now);
        self.data = later;
        Ok(count)
    }
}

/// S-028: what conversion makes of an object are objects, of the version asked for, whose markings are not weaker; and it goes both ways.
pub(crate) fn conversion(data: &[u8]) {
    let limits = Limits::default();
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(object) = Object::parse(text, &limits) else { return };
    let parse = |text: &String| Object::parse(text, &limits).unwrap_or_else(|e| panic!("{e}: {text}"));
    let lifted: Vec<Object> = convert::lift(&object).objects.iter().map(parse).collect();
    assert!(lifted.iter().all(|o| o.view().spec_version == "2.1"), "all of 2.1");
    let held = |o: &Object| o.view().markings.clone();
    for marking in held(&object) {
        assert!(lifted.iter().all(|o| held(o).contains(&marking)), "a marking of the whole stays one");
    }
    for strictness in [Strictness::Keep, Strictness::Strict] {
        let mut survey = Survey::default();
        for object in &lifted {
            survey.see(object);
        }
        let lowering = survey.finish(strictness);
        for object in &lifted {
            for object in lowering.lower(object).objects.iter().map(parse) {
                let again = convert::lift(&object);
                assert!(!again.objects.is_empty());
                again.objects.iter().for_each(|text| drop(parse(text)));
            }
        }
    }
}

/// I3, S-013, S-135: an object keeps its bytes, its digest and its view.
pub(crate) fn object(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(object) = Object::parse(text, &Limits::default()) {
        accepted(&object, text);
    }
}

fn accepted(object: &Object, raw: &str) {
    assert_eq!(object.raw(), raw, "I3");
    let form = form::canonicalise(raw).expect("an object is I-JSON");
    assert_eq!(object.digest(), form::digest(&form));
    let form = String::from_utf8(form).expect("a canonical form is UTF-8");
    let again = Object::parse(&form, &Limits::default()).expect("the canonical form is an object");
    assert_eq!((again.digest(), again.id()), (object.digest(), object.id()), "the canonical form has the same content");
    let view = object.view();
    let targets: Vec<_> = view.references.iter().map(|r| &r.target).collect();
    assert!(view.markings.iter().all(|marking| targets.contains(&&marking.any())), "a marking is a reference");
    assert!(view.created_by.is_none_or(|creator| targets.contains(&&creator.any())), "the creator is a reference");
    assert!(targets.iter().enumerate().all(|(i, target)| !targets[..i].contains(target)), "no target twice");
    let marks = granular_marking::effective(object);
    marks.for_each_value(|_, marks| assert!(marks.markings().count() <= targets.len())).expect("it is read again");
}

/// S-024: what is a timestamp is read back from its own text, and sorts as instants do.
pub(crate) fn timestamp(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = text.parse::<AnyId>();
    let Ok(time) = Timestamp::parse(text) else { return };
    assert_eq!(time.as_str(), text);
    let micros = Timestamp::from_micros(time.micros());
    assert!(micros <= time && time.micros() == micros.micros(), "{text}");
}

/// S-134: a selector prints as it was written, and covers itself.
pub(crate) fn selector(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(selector) = Selector::parse(text) else { return };
    assert_eq!(selector.to_string(), text);
    assert!(selector.covers(selector.steps()));
    assert!(!selector.covers(&selector.steps()[1..]), "a part of a path is another path");
}

/// S-001, S-045: the canonical form is its own canonical form, and both ways to it agree.
pub(crate) fn canonical(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(once) = form::canonicalise(text) else { return };
    let twice = form::canonicalise(std::str::from_utf8(&once).expect("UTF-8")).expect("the form is I-JSON");
    assert_eq!(once, twice);
    let value: serde_json::Value = serde_json::from_str(text).expect("I-JSON is JSON");
    assert_eq!(form::canonicalise_value(&value), once);
}

/// P-017, P-036: a text is a pattern, which prints so that it reads the same, or an error with its place; the linter has its say on both kinds of pattern.
pub(crate) fn pattern(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for version in [Version::V20, Version::V21] {
        match parse_version(text, version) {
            Ok(pattern) => {
                let printed = pattern.to_text(version).expect("2.0 reads no EXISTS");
                let again = parse_version(&printed, version).expect("what is printed is read");
                assert_eq!(again.to_text(version).as_deref(), Some(printed.as_str()));
                assert_eq!(again.observed().len(), pattern.observed().len());
                let report = pattern.lint();
                assert!(report.findings.iter().all(|f| text.get(f.span.start..f.span.end).is_some()));
            }
            Err(error) => {
                assert!(text.is_char_boundary(error.position.offset) && error.excerpt().lines().count() <= 2);
                assert!(error.to_string().len() < 1_000);
            }
        }
    }
}

/// P-041, P-056, P-070: a pattern and, after an empty line, objects of 2.0 in a list of lists, one list an observation. One pattern by itself and in an engine
/// give the same answers, and nothing is bound more often than it was seen.
pub(crate) fn pattern_match(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some((pattern, objects)) = text.split_once("\n\n") else { return };
    let Ok(pattern) = parse_version(pattern, Version::V21) else { return };
    let Ok(lists) = serde_json::from_str::<Vec<Vec<serde_json::Map<String, serde_json::Value>>>>(objects) else {
        return;
    };
    let observation = |(i, list): (usize, Vec<serde_json::Map<String, serde_json::Value>>)| {
        let at = Timestamp::from_micros(i64::try_from(i).ok()? * 1_500_000);
        let scos = list.into_iter().enumerate().filter_map(|(key, object)| Sco::new(key.to_string(), object)).collect();
        Observation::new(format!("observed-data--{i}"), &at, &at, 1 + i as u64 % 2, scos).ok()
    };
    let observations: Vec<Observation> = lists.into_iter().take(12).enumerate().filter_map(observation).collect();
    let matcher = Matcher::new(&pattern);
    let bounds = Bounds { retention: None, held_max: usize::MAX, ..Bounds::default() };
    let mut engine = Engine::new(bounds);
    engine.add(&pattern);
    for (now, last) in observations.iter().enumerate() {
        let alone = matcher.find_with(&observations[..=now], now);
        let arrived = engine.push(last);
        // What is undecided on one side has used up its steps in another order.
        let (Ok(found), true) = (alone, arrived.undecided.is_empty()) else { continue };
        assert_eq!(found.is_some(), !arrived.hits.is_empty(), "{pattern}");
        for binding in found.iter().flat_map(|found| &found.bindings) {
            let times = found.iter().flat_map(|f| &f.bindings).filter(|b| b.observation == binding.observation);
            assert!(times.count() as u64 <= observations[binding.observation].number());
        }
    }
}
