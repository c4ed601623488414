//! Seeds of the fuzz targets, and mutations of them.

#[path = "../../../../fuzz/replay.rs"]
mod seeds;

seeds::replays! {
    seeds_of_taxii_headers_do_no_harm: taxii_headers,
    seeds_of_taxii_query_do_no_harm: taxii_query,
    seeds_of_taxii_reply_do_no_harm: taxii_reply,
}
