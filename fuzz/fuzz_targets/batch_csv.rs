#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kuori_fuzz::batch_csv(bytes));
