//! Seeds of the fuzz targets, and mutations of them.

#[path = "../../../../fuzz/replay.rs"]
mod seeds;

seeds::replays! {
    seeds_of_label_json_do_no_harm: label_json,
    seeds_of_label_xml_do_no_harm: label_xml,
    seeds_of_spif_do_no_harm: spif,
}
