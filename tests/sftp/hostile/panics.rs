//! A panic in the server would be caught and end one session; here it fails the test.

use std::{
    panic,
    sync::{Mutex, Once, PoisonError},
};

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
static WATCHING: Once = Once::new();

/// Starts to note every panic of this process in the server or the crates below it.
pub(crate) fn watch() {
    WATCHING.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let place = info.location().map(|at| at.file().to_owned());
            let place = place.unwrap_or_default();
            if place.contains("src/sftp_server/") || place.contains("russh") {
                let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
                seen.push(info.to_string());
            }
            before(info);
        }));
    });
}

/// What was noted so far.
pub(crate) fn seen() -> Vec<String> {
    watch();
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
