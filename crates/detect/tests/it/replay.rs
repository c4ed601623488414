//! Seeds of the fuzz targets, and mutations of them.

#[path = "../../../../fuzz/replay.rs"]
mod seeds;

seeds::replays! {
    seeds_of_log_list_do_no_harm: log_list,
    seeds_of_log_ocsf_do_no_harm: log_ocsf,
    seeds_of_log_suricata_do_no_harm: log_suricata,
    seeds_of_log_windows_do_no_harm: log_windows,
    seeds_of_log_zeek_do_no_harm: log_zeek,
    seeds_of_warning_list_do_no_harm: warning_list,
}
