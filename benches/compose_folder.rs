//! Composes the PDFs of a folder into one bundle, a letter each, and says what it cost:
//! `cargo bench --bench compose_folder -- FOLDER OUT.pdf`. `peers/compose.sh` sets it beside other
//! programs.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot read its input ends here, and it prints what it found"
)]

mod usage;

use std::{
    env,
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
    time::Instant,
};

use jiff::Timestamp;
use kuori::{
    domain::{
        BatchId, BundleId, DocumentName, Letter, MessageId, PageRange, PostageClass, PostalAddress,
        PrintFacts,
    },
    pdf::{DigestKey, Document, Limits},
    print::{self, BundleIdentity, LetterPdf, LetterSource, Mark, Settings, SourceError},
};
use usage::Usage;

fn main() {
    let arguments = env::args().skip(1).filter(|argument| argument != "--bench");
    let arguments: Vec<_> = arguments.map(PathBuf::from).collect();
    match arguments.as_slice() {
        [folder, out] => run(&Folder(folder.clone()), out),
        _ => println!("compose_folder: name a folder of PDFs and a file: -- FOLDER OUT.pdf"),
    }
}

fn run(folder: &Folder, out: &Path) {
    let started = Instant::now();
    let settings = Settings {
        max_pieces: Mark::MAX_SEQUENCE,
        ..Settings::default()
    };
    let plan = print::lay_out(folder.letters(), &settings).unwrap();
    let file = BufWriter::new(File::create(out).unwrap());
    let composed = print::compose(&plan, &identity(), &settings, folder, file, &|_| {}).unwrap();
    let (wall, usage) = (started.elapsed().as_secs_f64(), Usage::now());
    println!(
        "{} letters, {} pages: CPU {:.2} s, wall {wall:.2} s, peak {} MiB, {} bytes",
        plan.pieces.len(),
        composed.pages,
        usage.cpu_seconds,
        usage.peak_mib(),
        composed.bytes,
    );
}

/// PDFs of one letter each, and nothing else.
struct Folder(PathBuf);

impl Folder {
    fn letters(&self) -> Vec<Letter> {
        let files = fs::read_dir(&self.0).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        let numbered = (1..).zip(names);
        numbered
            .map(|(position, name)| self.letter(position, name))
            .collect()
    }

    /// Opened for its page count, which control data says otherwise.
    fn letter(&self, position: u32, name: String) -> Letter {
        let pdf = fs::read(self.0.join(&name)).unwrap();
        let count = Document::open(&pdf, &Limits::default())
            .unwrap()
            .page_count();
        Letter {
            message: MessageId {
                batch: BatchId(1),
                position,
            },
            pages: PageRange {
                document: DocumentName(name),
                first: 1,
                count,
            },
            address: PostalAddress::default(),
            recipient: None,
            subject: None,
            postage: PostageClass::Economy,
            registered: false,
            colour: false,
            duplex: false,
            address_page: false,
            shares_envelope: false,
            facts: PrintFacts::default(),
        }
    }

    fn path(&self, pages: &PageRange) -> PathBuf {
        self.0.join(&pages.document.0)
    }
}

impl LetterSource for Folder {
    fn letter_pdf(&self, pages: &PageRange) -> Result<LetterPdf<'_>, SourceError> {
        Ok(LetterPdf::Own(fs::read(self.path(pages))?))
    }

    fn held_bytes(&self, pages: &PageRange) -> u64 {
        fs::metadata(self.path(pages)).map_or(0, |file| file.len())
    }
}

fn identity() -> BundleIdentity {
    BundleIdentity {
        bundle: BundleId(1),
        sender: "example-city".parse().unwrap(),
        print_house: "example-print".parse().unwrap(),
        created: Timestamp::UNIX_EPOCH,
        due: None,
        test: false,
        digest_key: DigestKey([1; 32]),
        return_address: Vec::new(),
    }
}
