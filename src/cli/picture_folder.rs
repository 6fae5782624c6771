use std::{
    fs::DirBuilder,
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::Path,
};

use super::CommandError;

/// Makes a folder for pictures where it is missing. They show letters, so they are for their owner's
/// eyes: a new folder has mode 700, and a picture 600.
pub(super) fn make(folder: &Path) -> Result<(), CommandError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| CommandError::file("make the folder", folder, &error))
}

/// That a file may be written, before there is work for it.
pub(super) fn may_write(path: &Path, force: bool) -> Result<(), CommandError> {
    if force || !path.exists() {
        return Ok(());
    }
    let error = CommandError::failed(format!("`{}` is there already", path.display()));
    Err(error.hint("name another file or folder, or add `--force`"))
}

/// Writes a file under a temporary name beside its own, so that it is whole once it is there.
pub(super) fn write(path: &Path, force: bool, png: &[u8]) -> Result<(), CommandError> {
    may_write(path, force)?;
    let unwritten = |error: io::Error| CommandError::file("write", path, &error);
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    // Readable to its owner alone, as temporary files are made.
    let mut file = builder
        .prefix(".kuori-picture-")
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(unwritten)?;
    file.write_all(png).map_err(unwritten)?;
    let kept = if force {
        file.persist(path)
    } else {
        file.persist_noclobber(path)
    };
    kept.map_err(|error| unwritten(error.error))?;
    Ok(())
}
