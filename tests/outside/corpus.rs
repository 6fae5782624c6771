//! Other people's PDFs, the odder the better: each is spliced into something sound that looks the
//! same, or refused. None stops us, and none takes long.

use std::{
    env, fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use kuori::{
    domain::PostalAddress,
    pdf::{
        Area, ContentLimits, ContentWants, DigestKey, Document, Fragment, Limits, Overlay,
        PdfVersion, Refusal, Treatment, Writer, WriterSettings,
    },
    print::{self, LetterToCheck},
};
use rayon::prelude::*;
use tempfile::TempDir;

use super::{
    picture::{self, Picture, Zone},
    tools,
};

const LONGEST: Duration = Duration::from_secs(5);
/// Of this process at its peak, with a file on each core; what draws is another process.
const MOST_MEMORY_KIB: u64 = 512 << 10;
const DPI: u32 = 30;
const DPI_TEXT: &str = "30";
/// Pages that are drawn of one file.
const MOST_DRAWN: u32 = 8;
/// Pages of one file whose content is gone through.
const MOST_LOOKED_AT: u32 = 50;

#[test]
#[ignore = "needs KUORI_CORPUS_PDF, qpdf, pdftoppm and mutool"]
fn every_pdf_of_the_corpus_is_spliced_soundly_or_refused() -> Result<(), env::VarError> {
    let mut files = pdfs_below(Path::new(&env::var("KUORI_CORPUS_PDF")?));
    files.sort();
    let mut verdicts: Vec<_> = files.par_iter().map(|file| (judge(file), file)).collect();
    verdicts.sort();
    for (verdict, file) in &verdicts {
        println!("{verdict:?} {}", file.display());
    }
    let wrong = verdicts.iter().filter(|(verdict, _)| verdict.is_wrong());
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(
        verdicts
            .iter()
            .any(|(verdict, _)| *verdict == Verdict::Same)
    );
    let peak = peak_kib();
    println!("peak {} MiB", peak >> 10);
    assert!(peak <= MOST_MEMORY_KIB, "{peak} KiB");
    Ok(())
}

/// The most memory that this process held at once (`proc(5)`).
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.unwrap()
        .trim_matches([' ', '\t', 'k', 'B'])
        .parse()
        .unwrap()
}

/// What came of one file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Same,
    Refused(String),
    /// Neither renderer draws the sender's own file in time.
    CannotBeDrawn,
    /// qpdf has something against the spliced file that it has against the sender's as well.
    UnsoundAsSent,
    /// It looks different, and whoever splices it is told that annotations are missing.
    Told(String),
    Unsound(String),
    LooksDifferent(String),
    TookLong(Duration),
    Panicked,
}

impl Verdict {
    fn unless_told(self, bytes: &[u8]) -> Self {
        match self {
            Self::LooksDifferent(how) if loses_annotations(bytes) => Self::Told(how),
            verdict => verdict,
        }
    }

    fn is_wrong(&self) -> bool {
        match self {
            Self::Same
            | Self::Refused(_)
            | Self::CannotBeDrawn
            | Self::UnsoundAsSent
            | Self::Told(_) => false,
            Self::Unsound(_) | Self::LooksDifferent(_) | Self::TookLong(_) | Self::Panicked => true,
        }
    }
}

fn judge(file: &Path) -> Verdict {
    let bytes = fs::read(file).unwrap();
    let start = Instant::now();
    let spliced =
        catch_unwind(|| Ok::<_, Refusal>([spliced(&bytes, false)?, spliced(&bytes, true)?]));
    let took = start.elapsed() / 2;
    let spliced = match spliced {
        Err(_) => return Verdict::Panicked,
        Ok(_) if took > LONGEST => return Verdict::TookLong(took),
        Ok(Err(refusal)) => return Verdict::Refused(refusal.to_string()),
        Ok(Ok(spliced)) => spliced,
    };
    let folder = tempfile::tempdir().unwrap();
    let [plain, marked] = [("plain", 0), ("marked", 1)].map(|(name, index)| {
        let path = folder.path().join(name);
        fs::write(&path, &spliced[index]).unwrap();
        path
    });
    soundness(&plain, file)
        .or_else(|| soundness(&marked, file))
        .or_else(|| looks(&plain, &marked, file))
        .map_or(Verdict::Same, |verdict| verdict.unless_told(&bytes))
}

/// Annotations without an appearance are drawn by readers, and not by us.
fn loses_annotations(bytes: &[u8]) -> bool {
    let document = Document::open(bytes, &Limits::default()).unwrap();
    let mut pages = (1..=document.page_count()).take(MOST_DRAWN as usize);
    pages.any(|page| {
        let page = document.page(page).unwrap();
        page.dropped_annotations() + page.lost_fields() > 0
    })
}

/// All pages in a file of their own, with a black square over each where a mark would be.
fn spliced(bytes: &[u8], marked: bool) -> Result<Vec<u8>, Refusal> {
    let document = Document::open(bytes, &Limits::default())?;
    let pages = document.page_count();
    if !marked {
        look_through(&document);
    }
    let treatment = treatment(&document);
    let fragment = Fragment::of(&document, 1..=pages, &DigestKey([1; 32]), &treatment)?;
    let settings = WriterSettings {
        title: "corpus".to_owned(),
        producer: "Kuori".to_owned(),
        created: jiff::Timestamp::UNIX_EPOCH,
        id: [7; 16],
        document_parts: false,
        version: PdfVersion::default(),
    };
    let mut writer = Writer::new(Vec::new(), &settings).unwrap();
    let mut square = |index| {
        let height_mm = fragment.page(index).unwrap().height_mm();
        marked.then(|| black_square(height_mm))
    };
    writer.add_fragment(&fragment, &mut square).unwrap();
    let (bytes, finished) = writer.finish().unwrap();
    assert_eq!(finished.pages, pages);
    Ok(bytes)
}

/// What the check of a letter's pages finds out about it, as when its batch is opened.
fn treatment(document: &Document<'_>) -> Treatment {
    let letter = LetterToCheck {
        pages: 1..=document.page_count(),
        address: &PostalAddress::default(),
        has_address_page: false,
        duplex: true,
        compares_address: true,
        turns_landscape: false,
    };
    let checked = print::check(document, &letter, &print::Settings::default());
    Treatment {
        may_be_unbalanced: checked.facts.is_unbalanced,
        ..Treatment::default()
    }
}

/// What a page draws is of no interest here, but it is found, and soon. A page whose content goes past
/// a limit is refused, and nothing else is.
fn look_through(document: &Document<'_>) {
    let everywhere = Area::at(0.0, 0.0, 10_000.0, 10_000.0);
    let wants = ContentWants {
        areas: &[everywhere],
        text_in: Some(everywhere),
        limits: &ContentLimits {
            max_kept: usize::MAX,
            ..ContentLimits::default()
        },
    };
    for page in 1..=document.page_count().min(MOST_LOOKED_AT) {
        let content = document.content(page, &wants);
        let is_told = matches!(
            content,
            Ok(_) | Err(Refusal::Limit { .. } | Refusal::Unreadable { .. })
        );
        assert!(is_told, "page {page}");
    }
}

/// Where the square stands, and what lies wholly inside of it however its edges are drawn.
const SQUARE: Zone = [4.0, 12.0, 12.0, 20.0];
const INSIDE: Zone = [6.0, 14.0, 10.0, 18.0];

fn black_square(page_height_mm: f64) -> Overlay {
    let [left, top, right, bottom] = SQUARE;
    let rectangle = [left, page_height_mm - bottom, right - left, bottom - top];
    let [x, y, width, height] = rectangle.map(|mm| mm * 72.0 / 25.4);
    Overlay(format!("0 g {x:.2} {y:.2} {width:.2} {height:.2} re f").into_bytes())
}

/// Warnings are about what stands in the sender's pages; errors are about the file.
fn soundness(ours: &Path, theirs: &Path) -> Option<Verdict> {
    let errors = qpdf_errors(ours)?;
    Some(match qpdf_errors(theirs) {
        Some(_) => Verdict::UnsoundAsSent,
        None => Verdict::Unsound(errors),
    })
}

fn qpdf_errors(file: &Path) -> Option<String> {
    let file = file.to_str().unwrap();
    let (sound, said) = tools::attempt("qpdf", ["--check", "--warning-exit-0", file]);
    (!sound).then_some(said.err)
}

/// What two renderers agree on, and one of them that somebody else's flattening is another: over a
/// faulty page one of them stumbles alone.
fn looks(plain: &Path, marked: &Path, theirs: &Path) -> Option<Verdict> {
    let verdict = looks_as(by_poppler, plain, marked, theirs)?;
    looks_as(by_mupdf, plain, marked, theirs)?;
    // Renderers shade the edges of an annotation otherwise than those of a form.
    let flattened = tempfile::NamedTempFile::new().unwrap();
    let files = [theirs, flattened.path()].map(|path| path.to_str().unwrap());
    let options = ["--warning-exit-0", "--flatten-annotations=print"];
    tools::attempt("qpdf", [options.as_slice(), &files].concat());
    looks_as(by_poppler, plain, marked, flattened.path()).map(|_| verdict)
}

fn looks_as(
    drawn: fn(&Path) -> Option<Vec<Picture>>,
    plain: &Path,
    marked: &Path,
    theirs: &Path,
) -> Option<Verdict> {
    let Some(theirs) = drawn(theirs) else {
        return Some(Verdict::CannotBeDrawn);
    };
    let (Some(plain), Some(marked)) = (drawn(plain), drawn(marked)) else {
        return Some(Verdict::LooksDifferent("cannot be drawn".to_owned()));
    };
    differing(&plain, &theirs, &[])
        .or_else(|| differing(&marked, &theirs, &[SQUARE]))
        .or_else(|| without_square(&marked))
        .map(Verdict::LooksDifferent)
}

fn without_square(pages: &[Picture]) -> Option<String> {
    let mut pages = (1..).zip(pages);
    let unmarked = pages.find(|(_, page)| !page.is_black_within(INSIDE, DPI));
    unmarked.map(|(page, _)| format!("page {page} has no square"))
}

fn differing(ours: &[Picture], theirs: &[Picture], zones: &[Zone]) -> Option<String> {
    if ours.len() != theirs.len() {
        return Some(format!("{} pages of {}", ours.len(), theirs.len()));
    }
    let pairs = (1..).zip(ours.iter().zip(theirs));
    let mut different = pairs.filter_map(|(number, (ours, theirs))| {
        if !ours.has_size_of(theirs) {
            return Some(format!("page {number} has another size"));
        }
        let place = ours.first_difference(theirs, DPI, zones);
        place.map(|(x, y)| format!("page {number} at {x:.0}, {y:.0} mm, but for {zones:?}"))
    });
    different.next()
}

/// As it would be printed: on a screen, other annotations show.
fn by_poppler(pdf: &Path) -> Option<Vec<Picture>> {
    let folder = tempfile::tempdir().unwrap();
    let printed = tempfile::NamedTempFile::new().unwrap();
    let printed = printed.path().to_str().unwrap();
    let last = MOST_DRAWN.to_string();
    let print = ["60", "pdftocairo", "-pdf", "-l", &last];
    let files = [pdf.to_str().unwrap(), printed];
    tools::attempt("timeout", [print.as_slice(), &files].concat());
    let target = folder.path().join("page");
    let files = [printed, target.to_str().unwrap()];
    let draw = ["pdftoppm", "-r", DPI_TEXT];
    pictures(&[draw.as_slice(), &files].concat(), &folder)
}

fn by_mupdf(pdf: &Path) -> Option<Vec<Picture>> {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("page-%d.ppm");
    let pages = format!("1-{MOST_DRAWN}");
    let options = ["mutool", "draw", "-q", "-r", DPI_TEXT, "-c", "rgb", "-o"];
    let files = [target.to_str().unwrap(), pdf.to_str().unwrap(), &pages];
    pictures(&[options.as_slice(), &files].concat(), &folder)
}

/// What a renderer makes, whatever it complains of; `None` where that is nothing in a minute.
fn pictures(command: &[&str], folder: &TempDir) -> Option<Vec<Picture>> {
    tools::attempt("timeout", [&["60"], command].concat());
    let pictures = picture::read_all(folder.path());
    (!pictures.is_empty()).then_some(pictures)
}

fn pdfs_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(pdfs_below(&path));
        } else if path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("pdf"))
        {
            found.push(path);
        }
    }
    found
}
