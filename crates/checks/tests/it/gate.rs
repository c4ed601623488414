//! Only the gate makes a `Released`. The compiler says so too, by private fields; this keeps the gate in one file of its own crate.

use crate::tree::{self, Fault, File};

const GATE: &str = "crates/label/src/gate.rs";
// Spelled so that this file does not find itself.
const NAME: &str = concat!("Rel", "eased");

fn faults(files: &[File]) -> Vec<Fault> {
    let mut found = Vec::new();
    for file in files.iter().filter(|f| f.has_extension(&["rs"]) && f.path != GATE && !must_not_compile(f, files)) {
        for (at, _) in file.text.match_indices(NAME) {
            let (before, after) = (&file.text[..at], &file.text[at + NAME.len()..]);
            let inside_a_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
                || after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            if inside_a_word || in_comment(before) {
                continue;
            }
            let line = before.lines().count().max(1);
            if after.trim_start().starts_with("as ") {
                found.push(Fault::new(&file.path, line, "renames the type that only the gate makes"));
            } else if without_generics(after).trim_start().starts_with('{') && !is_declaration(before) {
                found.push(Fault::new(&file.path, line, "makes or takes apart what only the gate makes"));
            }
        }
    }
    found
}

/// A compile-fail case: the compiler's complaint lies beside it.
fn must_not_compile(file: &File, files: &[File]) -> bool {
    let complaint = file.path.replace(".rs", ".stderr");
    file.path.contains("/tests/") && files.iter().any(|f| f.path == complaint)
}

fn in_comment(before: &str) -> bool {
    before.rsplit('\n').next().is_some_and(|line| line.trim_start().starts_with("//"))
}

/// What follows `<…>` or `::<…>`, if there is one.
fn without_generics(after: &str) -> &str {
    let trimmed = after.trim_start();
    let Some(inner) = trimmed.strip_prefix("::<").or_else(|| trimmed.strip_prefix('<')) else { return after };
    let mut depth = 1;
    for (i, c) in inner.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if !inner[..i].ends_with('-') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &inner[i + 1..];
        }
    }
    after
}

/// Whether the name stands where a type does before a body: `impl …`, `for …`, `-> …`.
fn is_declaration(before: &str) -> bool {
    let path = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    let place = path.trim_end().trim_end_matches("mut").trim_end().trim_end_matches('&').trim_end();
    let line = before.rsplit(['\n', ';', '{', '}']).next().unwrap_or_default().trim_start();
    place.ends_with("->") || place.ends_with(" for") || line.starts_with("impl") && !line.contains(')')
}

/// L-150: one function, one place.
#[test]
fn only_the_gate_makes_what_may_leave() {
    let files = tree::tracked();
    assert!(files.iter().any(|f| f.path == GATE && f.text.contains(NAME)), "the gate is where this test thinks it is");
    tree::expect_none(&faults(&files));
}

#[test]
fn a_second_way_to_make_one_is_found() {
    let run = |path: &str, text: &str| faults(&[File::planted(path, text.replace("R$", NAME))]).len();
    let path = "crates/taxii/src/encode.rs";
    for bad in [
        "let a = R$ { object };",
        "let a = label::R${object};",
        "f(R$::<Object> { object })",
        "let R$ { object, .. } = a;",
        "fn f() -> T {\n    R$\n    {\n        object\n    }\n}",
        "fn f() -> T { R$ { object } }",
        "use label::R$ as Free;",
        "impl A { fn f() { R$ { object } } }",
    ] {
        assert_eq!(run(path, bad), 1, "{bad}");
        assert_eq!(run(GATE, bad), 0, "{bad}");
    }
    for good in [
        "impl<T> R$<T> {",
        "impl R$ {",
        "impl Encode for R$<Object> {",
        "impl<T> Clone for label::R$<Vec<T>> {",
        "fn f() -> R$<Object> {",
        "fn f() -> &R$<fn() -> u8> {",
        "fn f(a: R$<Object>) {",
        "/// R$ { .. } is made by the gate",
        "struct NotR$ { a: u8 }",
        "use label::{R$, release};",
    ] {
        assert_eq!(run(path, good), 0, "{good}");
    }
    let case = [
        File::planted("crates/label/tests/ui/a.rs", format!("{NAME} {{ a }}")),
        File::planted("crates/label/tests/ui/a.stderr", ""),
    ];
    assert_eq!((faults(&case).len(), faults(&case[..1]).len()), (0, 1));
}
