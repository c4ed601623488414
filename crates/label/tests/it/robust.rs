//! No input makes a reader panic: arbitrary text, arbitrary bytes, and real files with a few bytes changed. `ENTENTE_SOAK_S` makes it last.
use crate::model::*;
use label::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};
use stix::{Limits, Object};

const E1: &str = include_str!("../data/examples/e1.xml");
const E3: &str = include_str!("../data/examples/e3.xml");
const E11: &str = include_str!("../data/examples/e11.xml");

fn read_everything(bytes: &[u8], policies: &Policies) {
    if let Ok(policy) = Policy::load(bytes) {
        let label = make_label("NATO", "SECRET", &[("Context", &["NATO"])]);
        let _ = policy.check(&label, Validity::New, None);
        let _ = policy.marking_text(&label, "fr");
        let _ = Policies::new(vec![policy]);
    }
    if let Ok((label, _)) = Label::from_xml(bytes) {
        use_label(&label, policies);
    }
    let _ = Clearance::from_xml(bytes, policies);
    let _ = LabelState::from_canonical(bytes);
    let _ = Bits::from_bytes(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(label) = Label::from_json(text) {
        use_label(&label, policies);
    }
    if let Ok(value) = serde_json::from_str(text) {
        let _ = Clearance::from_json(&value, policies);
    }
    if let Ok(object) = Object::parse(text, &Limits::default()) {
        let mut markings = Markings::new();
        let _ = markings.add(&object, &own());
        let _ = resolve(&object, &markings, policies, 1, &own(), &[], &[]);
    }
}

/// What was read can be used: written, decided, shown.
fn use_label(label: &Label, policies: &Policies) {
    assert_eq!(
        Label::from_json(std::str::from_utf8(label.canonical()).unwrap()).as_ref(),
        Ok(label),
        "canonical text is read as the same label"
    );
    for policy in policies.iter() {
        let _ = policy.marking_text(label, "en");
        if let Ok(xml) = label.to_xml(policy) {
            assert_eq!(Label::from_xml(xml.as_bytes()).unwrap().0, policy.spelled(label).unwrap(), "{xml}");
        }
    }
    let mut markings = Markings::new();
    let id = hold(&mut markings, label);
    let at = now();
    let cleared =
        reader(1, None, vec![clearance(policies, "NATO", &["UNCLASSIFIED", "RESTRICTED"], &[("Context", &["NATO"])])]);
    let _ = Authority { policies, markings: &markings, at: &at }.explain(
        &state(vec![chain(own(), &[id])]),
        "indicator",
        &cleared,
    );
}

fn seeds() -> Vec<String> {
    let nato = policies();
    let label = make_label("NATO", "SECRET", &[("Context", &["NATO"]), ("Only", &["GBR"])]);
    let mut seeds = vec![E1.to_owned(), E3.to_owned(), E11.to_owned(), PUBLIC.to_owned(), XPA.to_owned()];
    seeds.push(String::from_utf8(label.canonical().to_vec()).unwrap());
    seeds.push(label.to_xml(nato.iter().next().unwrap()).unwrap());
    seeds.push(marking_definition(&label, "x", None));
    seeds.push(r#"{"policy":"NATO","classifications":["UNCLASSIFIED"],"categories":{"Context":["NATO"]}}"#.to_owned());
    seeds.push(String::from_utf8(state(vec![chain(own(), &[label.marking_id()])]).canonical()).unwrap());
    if let Some(folder) = corpus("labels") {
        for entry in std::fs::read_dir(folder).unwrap() {
            seeds.push(String::from_utf8_lossy(&std::fs::read(entry.unwrap().path()).unwrap()).into_owned());
        }
    }
    seeds
}

/// Small deterministic generator (splitmix64), so that a failing round can be found again.
struct Dice(u64);
impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % (below.max(1) as u64)).unwrap()
    }
}

/// T-087's kin for labels: mutated real files are read or refused, never more.
#[test]
fn mutated_real_files_never_panic() {
    let (policies, seeds) = (policies(), seeds());
    let soak = std::env::var("ENTENTE_SOAK_S").ok().and_then(|s| s.parse().ok()).map(Duration::from_secs);
    let start = Instant::now();
    let mut dice = Dice(8317);
    let mut rounds = 0;
    while rounds < 20_000 || soak.is_some_and(|s| start.elapsed() < s) {
        let mut bytes = seeds[dice.roll(seeds.len())].clone().into_bytes();
        for _ in 0..=dice.roll(4) {
            if bytes.is_empty() {
                break;
            }
            let (i, j) = (dice.roll(bytes.len()), dice.roll(bytes.len()));
            match dice.roll(5) {
                0 => bytes[i] = u8::try_from(dice.roll(256)).unwrap(),
                1 => bytes.truncate(i),
                2 => {
                    let piece = bytes[i.min(j)..i.max(j).min(i.min(j) + 200)].to_vec();
                    bytes.splice(i..i, piece);
                }
                3 => drop(bytes.drain(i.min(j)..i.max(j).min(i.min(j) + 40))),
                _ => bytes.swap(i, j),
            }
        }
        read_everything(&bytes, &policies);
        rounds += 1;
    }
}

proptest! {
    #[test]
    fn arbitrary_text_and_bytes_never_panic(text in "\\PC{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200), markup in "[<>/=\"a-zA-Z: &;!\\[\\]?-]{0,120}") {
        let policies = policies();
        read_everything(text.as_bytes(), &policies);
        read_everything(&bytes, &policies);
        read_everything(markup.as_bytes(), &policies);
    }
}
