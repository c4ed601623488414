//! The seeds of the fuzz targets, and mutations of them.

#[path = "../../../../fuzz/replay.rs"]
mod seeds;

#[test]
fn the_seeds_of_open_psa_do_no_harm() {
    seeds::replay("open_psa", crate::attack::open_psa);
}

#[test]
fn the_seeds_of_dependency_model_do_no_harm() {
    seeds::replay("dependency_model", crate::attack::dependency_model);
}
