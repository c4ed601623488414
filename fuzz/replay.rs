//! Replays the committed seeds of a fuzz target, and byte mutations of them, as an ordinary test. Included by `#[path]`; see README.md beside it.

use std::{env, fs, path::Path, thread};

/// Mutations in all for one target; `ENTENTE_FUZZ_MUTATIONS` says another number.
const MUTATIONS: usize = 3_000;
/// A target with fewer seeds was forgotten.
const SEEDS_MIN: usize = 3;
/// Pieces that readers of text formats stumble over.
const TOKENS: &[&[u8]] = &[
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"(",
    b")",
    b",",
    b":",
    b"<",
    b">",
    b"&",
    b"'",
    b"=",
    b"%",
    b"null",
    b"1e400",
    b"9007199254740993",
    b"-0",
    b"\\ud800",
    b"\xff",
    b"\xef\xbb\xbf",
    b"--",
    b"_ref",
    b"Z",
    b"00",
    b"\n",
    b"\0",
];

/// `replays! { test: target, … }`: tests of their own that feed the seeds of each target to `attack::target`.
macro_rules! replays { ($($test:ident: $target:ident),* $(,)?) => { $(
    #[test]
    fn $test() {
        seeds::replay(stringify!($target), crate::attack::$target);
    }
)* } }
pub(crate) use replays;

/// Feeds every seed of `target`, then mutations of them, to `body`. If it panics, the input is printed.
pub(crate) fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("a folder can be listed").path())
        .collect();
    paths.sort();
    assert!(paths.len() >= SEEDS_MIN, "{target} has {} seeds", paths.len());
    let seeds: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).expect("a seed can be read")).collect();
    for seed in &seeds {
        feed(target, body, seed);
    }
    let mutations = env::var("ENTENTE_FUZZ_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(MUTATIONS);
    // The same mutations in each run: what fails fails again.
    let mut random = Random::new(target.bytes().fold(0, |seed: u64, b| seed.rotate_left(5) ^ u64::from(b)));
    for _ in 0..mutations {
        feed(target, body, &mutant(&seeds, &mut random));
    }
}

fn feed(target: &str, body: fn(&[u8]), input: &[u8]) {
    let _told = Told { target, input };
    body(input);
}

/// Says which input it was if the body panics.
struct Told<'a> {
    target: &'a str,
    input: &'a [u8],
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the target {} fails for: {:?}", self.target, String::from_utf8_lossy(self.input));
        }
    }
}

/// Xorshift; never zero.
pub(crate) struct Random(u64);

impl Random {
    /// The same numbers for the same seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15 | 1)
    }

    /// A number below `bound`, or zero if that is zero.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % bound.max(1)
    }

    /// One of several, of which there is at least one.
    pub(crate) fn choose<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// A few edits of the kinds that parsers stumble over.
pub(crate) fn mutant(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = random.choose(seeds).clone();
    for _ in 0..=random.below(4) {
        mutate(&mut input, seeds, random);
    }
    input
}

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let at = random.below(input.len() + 1);
    let token = *random.choose(TOKENS);
    match random.below(8) {
        0 => input.truncate(at),
        1 => drop(input.splice(at..at, token.iter().copied())),
        2 => drop(input.splice(at..(at + token.len()).min(input.len()), token.iter().copied())),
        3 => input[at.saturating_sub(1)..].iter_mut().take(1).for_each(|b| *b ^= 1 << random.below(8)),
        4 => drop(input.drain(at..(at + random.below(40)).min(input.len()))),
        5 => {
            // A piece of another seed.
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len() + 1);
            let piece = other[from..(from + random.below(60)).min(other.len())].to_vec();
            drop(input.splice(at..at, piece));
        }
        6 => {
            let piece = input[at..(at + random.below(60)).min(input.len())].to_vec();
            (0..random.below(4)).for_each(|_| drop(input.splice(at..at, piece.iter().copied())));
        }
        _ => {
            // A number, or a character, one up.
            if let Some(byte) = input.get_mut(at) {
                *byte = byte.wrapping_add(1);
            }
        }
    }
}
