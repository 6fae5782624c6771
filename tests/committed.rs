//! Committed files that the code makes: held to it by tests, written by `KUORI_BLESS=1 cargo test`.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

/// Holds a committed file to what the code says, or writes it.
pub(crate) fn check_committed(path: &str, expected: &[u8]) {
    let path = in_repository(path);
    if std::env::var_os("KUORI_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(&path).unwrap().write_all(expected).unwrap();
    }
    let committed = fs::read(&path).unwrap_or_default();
    assert!(
        committed == expected,
        "{} is not what the code says; run `KUORI_BLESS=1 cargo test`",
        path.display()
    );
}

pub(crate) fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Paths of all files in a folder of the repository and below it, sorted.
pub(crate) fn files_below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(in_repository(folder)).into_iter().flatten() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}
