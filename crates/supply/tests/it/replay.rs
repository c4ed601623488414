//! Seeds of the fuzz targets, and mutations of them.

#[path = "../../../../fuzz/replay.rs"]
mod seeds;

seeds::replays! {
    seeds_of_dependency_model_do_no_harm: dependency_model,
    seeds_of_open_psa_do_no_harm: open_psa,
}
