//! Seeds of the fuzz target, and mutations of them.

#[path = "../../../../fuzz/replay.rs"]
mod seeds;

seeds::replays! {
    seeds_of_binding_do_no_harm: binding,
}
