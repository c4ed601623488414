//! Texts to be found inside texts: Aho-Corasick automata of growing size, so that adding one text seldom rebuilds much.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use memchr::memmem;

/// Texts that are searched for one by one before they become an automaton.
const LOOSE_MAX: usize = 32;

/// A text and the term that is filed under it.
type Loose = (Box<[u8]>, u32);
/// The same inside an automaton, where a term that was removed leaves its text.
type Text = (Box<[u8]>, Option<u32>);

#[derive(Debug, Default)]
pub(super) struct Literals {
    /// From large to small; each more than twice the next.
    automata: Vec<Automaton>,
    loose: Vec<Loose>,
}

#[derive(Debug)]
struct Automaton {
    search: AhoCorasick,
    texts: Vec<Text>,
}

impl Literals {
    pub(super) fn is_empty(&self) -> bool {
        self.automata.is_empty() && self.loose.is_empty()
    }

    pub(super) fn insert(&mut self, text: Box<[u8]>, term: u32) {
        self.loose.push((text, term));
        if self.loose.len() <= LOOSE_MAX {
            return;
        }
        let mut texts: Vec<_> = self.loose.drain(..).map(|(text, term)| (text, Some(term))).collect();
        while let Some(last) = self.automata.pop_if(|last| last.texts.len() <= 2 * texts.len()) {
            texts.extend(last.texts.into_iter().filter(|(_, term)| term.is_some()));
        }
        match Automaton::new(texts) {
            Ok(automaton) => self.automata.push(automaton),
            // Too large for the library: searched one by one.
            Err(texts) => self.loose = texts,
        }
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, text: &[u8], term: u32) -> bool {
        if let Some(at) = self.loose.iter().position(|(t, owner)| *owner == term && **t == *text) {
            self.loose.swap_remove(at);
            return true;
        }
        for automaton in &mut self.automata {
            let held = automaton.texts.iter_mut().find(|(t, owner)| *owner == Some(term) && **t == *text);
            if let Some((_, owner)) = held {
                *owner = None;
                return true;
            }
        }
        false
    }

    pub(super) fn everything(&self, found: &mut Vec<u32>) {
        let built = self.automata.iter().flat_map(|automaton| &automaton.texts);
        found.extend(built.filter_map(|(_, term)| *term).chain(self.loose.iter().map(|(_, term)| *term)));
    }

    pub(super) fn look_up(&self, text: &[u8], found: &mut Vec<u32>) {
        for automaton in &self.automata {
            let matches = automaton.search.find_overlapping_iter(text);
            found.extend(matches.filter_map(|m| automaton.texts.get(m.pattern().as_usize())?.1));
        }
        let loose = self.loose.iter().filter(|(literal, _)| memmem::find(text, literal).is_some());
        found.extend(loose.map(|(_, term)| *term));
    }
}

impl Automaton {
    fn new(texts: Vec<Text>) -> Result<Self, Vec<Loose>> {
        let search = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(texts.iter().map(|(text, _)| text.as_ref()));
        match search {
            Ok(search) => Ok(Self { search, texts }),
            Err(_) => Err(texts.into_iter().filter_map(|(text, term)| Some((text, term?))).collect()),
        }
    }
}
