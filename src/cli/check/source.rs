use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, BufRead, Read},
    path::{Path, PathBuf},
};

use crate::{
    cli::{
        CommandError,
        error::ErrorKind,
        words::{counted, shell_word},
    },
    domain::{Code, Finding, Place},
    store::{Scratch, ScratchBytes},
};

/// Where a batch is read from.
pub(super) enum Source {
    File(PathBuf),
    StandardInput,
}

/// All batches that are meant: of a folder, the ZIPs in it by name, as an inbox would take them.
pub(super) fn all(named: &[PathBuf]) -> Result<Vec<Source>, CommandError> {
    let mut sources = Vec::new();
    for path in named {
        if path == Path::new("-") {
            sources.push(Source::StandardInput);
            continue;
        }
        let unread = |error: io::Error| CommandError::file("read", path, &error);
        if fs::metadata(path).map_err(unread)?.is_dir() {
            sources.extend(in_folder(path)?.into_iter().map(Source::File));
        } else {
            sources.push(Source::File(path.clone()));
        }
    }
    let from_input = sources
        .iter()
        .filter(|source| matches!(source, Source::StandardInput));
    if from_input.count() > 1 {
        return Err(CommandError::usage("`-` can be named once"));
    }
    Ok(sources)
}

impl Source {
    /// The name by which an inbox would know it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::StandardInput => "standard-input.zip".to_owned(),
            Self::File(path) => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                name.to_string_lossy().into_owned()
            }
        }
    }

    pub(super) fn path(&self) -> String {
        match self {
            Self::StandardInput => "-".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// The bytes, which stand still from then on. The outer error is the world's, the inner one is
    /// about the batch: what is larger than is taken is not read.
    pub(super) fn read(
        &self,
        input: &mut dyn BufRead,
        scratch: &Scratch,
        max_bytes: u64,
    ) -> Result<Result<ScratchBytes, Finding>, CommandError> {
        match self {
            Self::StandardInput => {
                let kept = scratch.keep(&mut input.take(max_bytes.saturating_add(1)));
                kept.map(Ok).map_err(|error| no_room(&error))
            }
            Self::File(path) => read_file(path, scratch, max_bytes),
        }
    }
}

fn read_file(
    path: &Path,
    scratch: &Scratch,
    max_bytes: u64,
) -> Result<Result<ScratchBytes, Finding>, CommandError> {
    let unread = |error: io::Error| CommandError::file("read", path, &error);
    let mut file = File::open(path).map_err(unread)?;
    let before = file.metadata().map_err(unread)?;
    if before.len() > max_bytes {
        let detail = format!(
            "the ZIP has {} bytes, the limit is {max_bytes}",
            before.len()
        );
        let place = Place::batch();
        return Ok(Err(Finding::new(Code::ArchiveTooLarge, place, detail)));
    }
    let kept = scratch.keep_file(&mut file, path);
    let kept = kept.map_err(|error| no_room(&error))?;
    let after = file.metadata().map_err(unread)?;
    if (before.len(), before.modified().ok()) != (after.len(), after.modified().ok()) {
        let error = format!("`{}` changed while it was read", path.display());
        return Err(CommandError::new(ErrorKind::TryLater, error)
            .hint("type it again when the file is whole"));
    }
    Ok(Ok(kept))
}

pub(super) fn no_room(error: &io::Error) -> CommandError {
    CommandError::failed("cannot copy or unpack the batch into a temporary folder")
        .caused_by(error.to_string())
        .hint("set `TMPDIR` to a folder with room for the unpacked batch")
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let unread = |error: io::Error| CommandError::file("read", folder, &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if !path.is_dir() {
            files.push(path);
        }
    }
    let mut zips: Vec<_> = files
        .iter()
        .filter(|path| is_batch(path))
        .cloned()
        .collect();
    if zips.is_empty() {
        return Err(no_batch(folder, &files));
    }
    zips.sort();
    Ok(zips)
}

/// Whether an inbox would take a file of that name.
fn is_batch(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && has_extension(path, "zip")
}

fn has_extension(path: &Path, extension: &str) -> bool {
    let found = path.extension().and_then(OsStr::to_str);
    found.is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

fn no_batch(folder: &Path, files: &[PathBuf]) -> CommandError {
    let count = |extension| {
        let found = files.iter().filter(|path| has_extension(path, extension));
        found.count() as u64
    };
    let (pdfs, control) = (count("pdf"), count("xml") + count("csv"));
    let shown = folder.display();
    if control == 0 {
        return CommandError::failed(format!("there is no ZIP in `{shown}`"))
            .hint("`kuori sample batch.zip --letters 3` makes a batch to look at");
    }
    let pdfs = counted(pdfs, "PDF", "PDFs");
    let control = counted(control, "file with control data", "files with control data");
    let error = format!("there is no ZIP in `{shown}`, but {pdfs} and {control}");
    let folder = shell_word(&shown.to_string());
    CommandError::failed(error).hint(format!(
        "a batch is a ZIP of them: `cd {folder} && zip -r ../batch.zip .`, then `kuori check ../batch.zip`"
    ))
}
