#![no_main]

#[path = "../../crates/label/tests/it/attack.rs"]
#[allow(dead_code)]
mod attack;

libfuzzer_sys::fuzz_target!(|data: &[u8]| attack::label_json(data));
