mod pictures;
mod suspects;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

pub(in crate::cli) use self::pictures::Pictures;
use self::suspects::Suspect;
pub(super) use self::suspects::Suspects;
use crate::{
    batch::{self, Archive},
    cli::{
        CommandError, page_picture::PageToDraw, picture_folder, progress::Progress,
        renderer::Renderer,
    },
    domain::{Code, DocumentName, Finding, Place, without_identity_codes},
    pdf::{Document, Limits},
    pipeline::PageCheck,
    proof::Stage,
    store::{Scratch, ScratchBytes},
};

#[derive(clap::Args)]
#[group(id = "pictures")]
pub(super) struct Arguments {
    /// Draw each page with an error or a warning into a PNG in this folder, with the zones of the
    /// print house on it and what stands in one in red
    ///
    /// The pictures show the letters: a new folder is for your eyes only (mode 700).
    #[arg(long = "overlay", value_name = "DIR")]
    folder: Option<PathBuf>,

    /// How many pages are drawn at most
    #[arg(long = "overlay-pages", value_name = "N", default_value_t = 50, requires = "folder",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    most_pages: u32,

    /// Dots an inch of the pictures
    #[arg(long, value_name = "N", default_value_t = 100, requires = "folder",
          value_parser = clap::value_parser!(u16).range(36..=600))]
    dpi: u16,

    /// Draw into a folder that has files, and overwrite those of the same names
    #[arg(long, requires = "folder")]
    force: bool,
}

/// Draws the pages that findings are about, of all batches of one command.
pub(super) struct Overlay {
    folder: PathBuf,
    dpi: u16,
    force: bool,
    renderer: Renderer,
    /// Pages that may still be drawn.
    left: u32,
    /// Names of the files so far.
    taken: HashSet<String>,
}

impl Overlay {
    /// `None` where no pictures are asked for.
    pub(super) fn of(
        arguments: &Arguments,
        renderer: Renderer,
    ) -> Result<Option<Self>, CommandError> {
        let Some(folder) = &arguments.folder else {
            return Ok(None);
        };
        if !arguments.force && has_files(folder)? {
            let error = CommandError::failed(format!("`{}` has files already", folder.display()));
            return Err(error.hint("name another folder, or add `--force`"));
        }
        Ok(Some(Self {
            folder: folder.clone(),
            dpi: arguments.dpi,
            force: arguments.force,
            renderer,
            left: arguments.most_pages,
            taken: HashSet::new(),
        }))
    }

    /// To be told of each message of a batch.
    pub(super) fn suspects(&self) -> Suspects {
        Suspects::up_to(self.left)
    }

    pub(super) fn draw(
        &mut self,
        suspects: &Suspects,
        batch: &OpenBatch<'_>,
        progress: &Progress,
    ) -> Result<Pictures, CommandError> {
        self.left = suspects.left;
        let mut pictures = Pictures::beside(suspects.left_out);
        let same_document = |one: &Suspect, other: &Suspect| one.document() == other.document();
        for letters in suspects.letters.chunk_by(same_document) {
            self.draw_document(letters, batch, progress, &mut pictures)?;
        }
        Ok(pictures)
    }

    fn draw_document(
        &mut self,
        letters: &[Suspect],
        batch: &OpenBatch<'_>,
        progress: &Progress,
        pictures: &mut Pictures,
    ) -> Result<(), CommandError> {
        let Some(first) = letters.first() else {
            return Ok(());
        };
        picture_folder::make(&self.folder)?;
        let bytes = match batch.read(first.document()) {
            Ok(bytes) => bytes,
            Err(why) => {
                pictures.fail(letters, &why.detail);
                return Ok(());
            }
        };
        let document = match Document::open(bytes.as_ref(), &Limits::default()) {
            Ok(document) => document,
            Err(why) => {
                pictures.fail(letters, &why.to_string());
                return Ok(());
            }
        };
        for letter in letters {
            self.draw_letter(letter, &document, batch, pictures)?;
            progress.wait();
        }
        Ok(())
    }

    fn draw_letter(
        &mut self,
        letter: &Suspect,
        document: &Document<'_>,
        batch: &OpenBatch<'_>,
        pictures: &mut Pictures,
    ) -> Result<(), CommandError> {
        let found = batch.check.look(document, &letter.asked()).findings;
        for &page in &letter.on {
            let drawn = PageToDraw {
                document,
                number: page,
                dpi: self.dpi,
                outlines: letter.outlines(page, stage(document, page, batch), &found, batch.check),
            };
            let kept = drawn.draw(self.renderer);
            let kept = kept.keep(|png| self.write(batch.name, letter, page, png))?;
            pictures.add(letter, kept);
        }
        Ok(())
    }

    fn write(
        &mut self,
        batch: &str,
        letter: &Suspect,
        page: u32,
        png: &[u8],
    ) -> Result<PathBuf, CommandError> {
        let stem = file_stem(batch, &letter.document().0, page);
        let name = self.free_name(&stem);
        let path = self.folder.join(name);
        picture_folder::write(&path, self.force, png)?;
        Ok(path)
    }

    /// Two entries whose names differ in what no file name takes are told apart by a number.
    fn free_name(&mut self, stem: &str) -> String {
        let numbered = (2_u32..).map(|number| format!("{stem}-{number}.png"));
        let mut names = std::iter::once(format!("{stem}.png")).chain(numbered);
        let free = names.find(|name| !self.taken.contains(name));
        let name = free.unwrap_or_default();
        self.taken.insert(name.clone());
        name
    }
}

/// A page that cannot be read is not drawn either.
fn stage(document: &Document<'_>, page: u32, batch: &OpenBatch<'_>) -> Stage {
    match document.page(page) {
        Ok(geometry) if batch.check.turns(&geometry) => Stage::ReceivedOnSide,
        _ => Stage::Received,
    }
}

fn has_files(folder: &Path) -> Result<bool, CommandError> {
    match folder.read_dir() {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(CommandError::file("list", folder, &error)),
    }
}

/// `letters-kirjeet-12`: batch, entry and page, without identity codes.
fn file_stem(batch: &str, entry: &str, page: u32) -> String {
    let (batch, entry) = (file_word(batch, ".zip"), file_word(entry, ".pdf"));
    format!("{batch}-{entry}-{page}")
}

/// So much of a name as is safe in one of ours: two of them stay below the 255 bytes of a file name.
fn file_word(name: &str, ending: &str) -> String {
    const MOST_CHARACTERS: usize = 30;
    let masked = without_identity_codes(name);
    let split = masked.len().saturating_sub(ending.len());
    let stem = match masked.split_at_checked(split) {
        Some((stem, end)) if end.eq_ignore_ascii_case(ending) => stem,
        _ => &masked,
    };
    let is_safe = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let safe = stem.chars().map(|c| if is_safe(c) { c } else { '-' });
    let safe: String = safe.take(MOST_CHARACTERS).collect();
    safe.trim_matches(['-', '.']).to_owned()
}

/// A batch that was read to its end, for those who read its documents again.
pub(super) struct OpenBatch<'a> {
    /// The name of its file.
    pub(super) name: &'a str,
    pub(super) archive: &'a Archive<'a>,
    pub(super) limits: &'a batch::Limits,
    pub(super) check: &'a PageCheck,
    pub(super) scratch: &'a Scratch,
}

impl OpenBatch<'_> {
    /// Into memory where it is small, or in an archive inside the batch.
    fn read(&self, document: &DocumentName) -> Result<ScratchBytes, Finding> {
        if self.archive.entry(&document.0).is_none() {
            let read = batch::read_document(self.archive, document, self.limits)?;
            return Ok(ScratchBytes::Memory(read.into_owned()));
        }
        let mut reader = self.archive.reader(&document.0)?;
        self.scratch.keep(&mut reader).map_err(|error| {
            let place = Place::entry(&document.0);
            Finding::new(Code::ArchiveDamaged, place, error.to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_have_no_identity_code_and_no_folder() {
        for (batch, entry, stem) in [
            ("letters.zip", "kirjeet.pdf", "letters-kirjeet-12"),
            ("a.ZIP", "in/b c.PDF", "a-in-b-c-12"),
            ("../x.zip", "010190-999W.pdf", "x-hidden-12"),
            ("ä.zip", "../../etc/passwd", "ä-etc-passwd-12"),
        ] {
            assert_eq!(file_stem(batch, entry, 12), stem);
        }
        let long = "ä".repeat(500);
        assert!(file_stem(&long, &long, u32::MAX).len() < 240);
    }
}
