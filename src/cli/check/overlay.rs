use std::{
    collections::{BTreeSet, HashSet},
    fmt,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    batch::{self, Archive, LetterPages, OpenedMessage},
    cli::{
        CommandError,
        page_picture::{Legend, PageToDraw, PictureOfPage},
        picture_folder,
        progress::Progress,
        renderer::Renderer,
        words::counted,
    },
    domain::{
        ChannelWish, DocumentName, Finding, PageRange, PostalAddress, Severity,
        without_identity_codes,
    },
    pdf::{Document, Limits},
    pipeline::PageCheck,
    print::PageFinding,
    proof::{self, Look, Outline, Stage},
    store::{Scratch, ScratchBytes},
};

/// Of what stands where it must not, so much is drawn on one page: more would cover it.
const MOST_OFFENCES: usize = 100;

#[derive(clap::Args)]
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
        Suspects {
            letters: Vec::new(),
            left: self.left,
            left_out: 0,
        }
    }

    pub(super) fn draw(
        &mut self,
        suspects: Suspects,
        batch: &OpenBatch<'_>,
        progress: &Progress,
    ) -> Result<Pictures, CommandError> {
        self.left = suspects.left;
        let mut pictures = Pictures {
            pages: Vec::new(),
            left_out: suspects.left_out,
        };
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
            let found = batch.check.look(&document, &letter.asked()).findings;
            for &page in &letter.on {
                let outlines = letter.outlines(page, &found, batch.check);
                let drawn = PageToDraw {
                    document: &document,
                    number: page,
                    dpi: self.dpi,
                    outlines,
                };
                let kept = drawn.draw(self.renderer);
                let kept = kept.keep(|png| self.write(batch.name, letter, page, png))?;
                pictures.add(letter, kept);
                progress.reach(pictures.pages.len() as u64);
            }
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
            let place = crate::domain::Place::entry(&document.0);
            Finding::new(crate::domain::Code::ArchiveDamaged, place, error.to_string())
        })
    }
}

/// Letters of a batch that have a finding on a page, no more than can be drawn.
pub(super) struct Suspects {
    letters: Vec<Suspect>,
    left: u32,
    left_out: u64,
}

/// A letter with the pages of it that are to be drawn.
struct Suspect {
    pages: PageRange,
    address: PostalAddress,
    wish: ChannelWish,
    duplex: Option<bool>,
    /// Of the document, from 1.
    on: BTreeSet<u32>,
}

impl Suspects {
    pub(super) fn take(&mut self, message: &OpenedMessage) {
        let troubles = message.findings.iter();
        let troubles = troubles.filter(|finding| finding.severity() != Severity::Info);
        let mut on: BTreeSet<u32> = troubles.filter_map(|finding| finding.place.page).collect();
        while on.len() > self.left as usize {
            on.pop_last();
            self.left_out += 1;
        }
        if on.is_empty() {
            return;
        }
        self.left -= u32::try_from(on.len()).unwrap_or(self.left);
        let message = &message.message;
        self.letters.push(Suspect {
            pages: message.pages.clone(),
            address: message.recipient.address.clone(),
            wish: message.wish,
            duplex: message.duplex,
            on,
        });
    }
}

impl Suspect {
    fn document(&self) -> &DocumentName {
        &self.pages.document
    }

    fn asked(&self) -> LetterPages<'_> {
        LetterPages {
            pages: self.pages.first..=self.pages.last(),
            address: &self.address,
            wish: self.wish,
            duplex: self.duplex,
        }
    }

    /// What is drawn over a page: what stands in the wrong place last, over the zones.
    fn outlines(&self, page: u32, found: &[PageFinding], check: &PageCheck) -> Vec<Outline> {
        let index = page.saturating_sub(self.pages.first);
        let duplex = check.is_duplex(&self.asked());
        let mut outlines = proof::outlines(check.print(), Stage::Received, index, duplex);
        let here = found.iter().filter(|finding| finding.page == page);
        let offences = here.flat_map(|finding| {
            finding.areas.iter().map(|area| Outline {
                name: finding.code.to_string(),
                area: *area,
                look: Look::Offence,
            })
        });
        outlines.extend(offences.take(MOST_OFFENCES));
        outlines
    }
}

/// The pictures of a batch.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Pictures {
    pages: Vec<EntryPage>,
    /// Pages with an error or a warning beyond `--overlay-pages`.
    left_out: u64,
}

#[derive(Serialize, JsonSchema)]
struct EntryPage {
    /// The entry of the ZIP, but for identity codes.
    entry: String,
    #[serde(flatten)]
    picture: PictureOfPage,
}

impl Pictures {
    fn add(&mut self, letter: &Suspect, picture: PictureOfPage) {
        let entry = without_identity_codes(&letter.document().0).into_owned();
        self.pages.push(EntryPage { entry, picture });
    }

    fn fail(&mut self, letters: &[Suspect], why: &str) {
        for letter in letters {
            for page in &letter.on {
                self.add(letter, PictureOfPage::failed(*page, why.to_owned()));
            }
        }
    }
}

/// A row a picture, how many are left out, and what the colours mean.
impl fmt::Display for Pictures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for EntryPage { entry, picture } in &self.pages {
            writeln!(f, "Picture   {picture} of `{entry}`")?;
        }
        if self.left_out > 0 {
            let pages = counted(self.left_out, "page", "pages");
            writeln!(f, "          {pages} more: `--overlay-pages` says how many are drawn")?;
        }
        Legend::of(self.pages.iter().flat_map(|page| page.picture.zones())).fmt(f)
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
