//! What must not compile: the promise of the gate is in the types (layout: the life of one object).
#[test]
fn nothing_but_the_gate_makes_opens_copies_or_reads_a_released_object() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
