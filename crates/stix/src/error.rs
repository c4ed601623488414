/// Longest piece of input that an error repeats, in characters: enough to recognise the token, too little to carry content.
pub(crate) const TOKEN_CHARS_MAX: usize = 80;

/// Why one object is refused: where, what, which requirement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {cause}", place(.path))]
pub struct ObjectError {
    /// JSON pointer of the fault inside the object, `` for the object itself.
    pub path: String,
    /// One sentence, lower case, that holds no more of the input than the offending token (cut to 80 characters).
    pub cause: String,
    /// The requirement broken, e.g. `S-013`; empty if none names it.
    pub requirement: &'static str,
}

impl ObjectError {
    pub(crate) fn new(path: impl Into<String>, cause: impl Into<String>, requirement: &'static str) -> Self {
        Self { path: path.into(), cause: cause.into(), requirement }
    }

    /// The same fault seen from an outer document: `prefix` goes before the path.
    pub(crate) fn under(mut self, prefix: &str) -> Self {
        self.path.insert_str(0, prefix);
        self
    }
}

fn place(path: &str) -> &str {
    if path.is_empty() { "the object" } else { path }
}

/// `text` cut to `chars_max` characters, with `…` in place of what is missing.
pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}
