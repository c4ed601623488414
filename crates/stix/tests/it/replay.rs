//! Seeds of the fuzz targets, and mutations of them.

#[path = "../../../../fuzz/replay.rs"]
pub(crate) mod seeds;

seeds::replays! {
    seeds_of_bundle_do_no_harm: bundle,
    seeds_of_canonical_do_no_harm: canonical,
    seeds_of_conversion_do_no_harm: conversion,
    seeds_of_object_do_no_harm: object,
    seeds_of_pattern_do_no_harm: pattern,
    seeds_of_pattern_match_do_no_harm: pattern_match,
    seeds_of_selector_do_no_harm: selector,
    seeds_of_streamed_do_no_harm: streamed,
    seeds_of_timestamp_do_no_harm: timestamp,
}
