//! Batches that went to print, as the print house finds them and as their sender sent them.

use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Read},
    path::{Path, PathBuf},
};

use kuori::{
    domain::{BundleId, DocumentName, MessageId, PageRange},
    pipeline::SenderSettings,
    print::{self, MarkSettings, OmrSettings, PdfVersion},
    sample::{Encoding, Fault, FaultKind, Shape, Spec, Version},
};
use tempfile::TempDir;
use zip::ZipArchive;

use crate::hub::{Hub, sample_bytes};

/// One batch, and what its sender's and its print house's settings say of paper.
pub(crate) struct Case {
    pub(crate) name: String,
    batch: Batch,
    duplex: bool,
    address_page: bool,
    print: print::Settings,
}

enum Batch {
    Made(Spec),
    /// A committed sample, whose recipients have no mailboxes.
    Committed(PathBuf),
}

/// Every shape, duplex and simplex, with and without an address page, a test batch, lines for older
/// machines, and each committed sample that prints.
pub(crate) fn cases() -> Vec<Case> {
    let spec = |letters, seed, shape| Spec {
        letters,
        seed,
        shape,
        digital_share: 0.2,
        pages: 1..=5,
        ..Spec::default()
    };
    let latin = Spec {
        encoding: Encoding::Latin1,
        version: Version::V0x4,
        ..spec(12, 3, Shape::ManyInOne)
    };
    let test = Spec {
        is_test: true,
        ..spec(6, 6, Shape::ManyInOne)
    };
    let picture = |letter| Fault {
        letter,
        kind: FaultKind::PictureInMargin,
    };
    let pictured = Spec {
        faults: (1..=6).map(picture).collect(),
        ..spec(6, 7, Shape::ManyInOne)
    };
    let on_paper = Spec {
        digital_share: 0.0,
        ..spec(1, 4, Shape::OneLetter)
    };
    let made = |name: &str, spec, duplex, address_page| Case {
        name: name.to_owned(),
        batch: Batch::Made(spec),
        duplex,
        address_page,
        print: print::Settings::default(),
    };
    let mut cases = vec![
        made("duplex", spec(25, 1, Shape::ManyInOne), true, false),
        made("simplex", latin, false, false),
        made("csv", spec(12, 2, Shape::Csv), true, false),
        made("one-letter", on_paper, true, false),
        made(
            "duplex-address-page",
            spec(12, 5, Shape::ManyPairs),
            true,
            true,
        ),
        made("simplex-address-page", spec(8, 8, Shape::Csv), false, true),
        made("nested", spec(8, 9, Shape::Nested), true, false),
        made("test", test, true, false),
        made("picture-in-margin", pictured, true, false),
    ];
    cases.extend([true, false].map(|duplex| Case {
        print: for_older_machines(),
        ..made("omr", spec(14, 10, Shape::ManyInOne), duplex, duplex)
    }));
    cases.extend(committed());
    cases
}

/// Lines beside the mark, a ticket in XJDF, and a PDF of another version without document parts.
fn for_older_machines() -> print::Settings {
    print::Settings {
        marks: MarkSettings {
            omr: Some(OmrSettings::default()),
            ..MarkSettings::default()
        },
        xjdf: true,
        document_parts: false,
        pdf_version: PdfVersion::Pdf20,
        ..print::Settings::default()
    }
}

fn committed() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/batches/valid");
    let files = fs::read_dir(folder).unwrap();
    let mut zips: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    zips.retain(|path| path.extension().is_some_and(|end| end == "zip"));
    zips.sort();
    let case = |path: PathBuf| Case {
        name: path.file_name().unwrap().to_str().unwrap().to_owned(),
        batch: Batch::Committed(path),
        duplex: true,
        address_page: false,
        print: print::Settings::default(),
    };
    zips.into_iter().map(case).collect()
}

/// A case that went all the way through the house.
pub(crate) struct PrintRun {
    pub(crate) name: String,
    pub(crate) is_test: bool,
    pub(crate) address_page: bool,
    pub(crate) print: print::Settings,
    pub(crate) hub: Hub,
    sent: SentBatch,
}

impl PrintRun {
    pub(crate) async fn of(case: &Case) -> Self {
        let change = |sender: &mut SenderSettings| {
            sender.duplex = case.duplex;
            sender.address_page = case.address_page;
        };
        let hub = Hub::with_sender_and_print(change, case.print.clone());
        let (bytes, is_test) = match &case.batch {
            Batch::Made(spec) => {
                hub.consent(spec);
                (sample_bytes(spec), spec.is_test)
            }
            Batch::Committed(path) => (fs::read(path).unwrap(), false),
        };
        hub.process("batch.zip", &bytes).await;
        assert!(hub.counts().printed > 0, "{}: nothing printed", case.name);
        Self {
            name: case.name.clone(),
            is_test,
            address_page: case.address_page,
            print: case.print.clone(),
            hub,
            sent: SentBatch::of(&bytes),
        }
    }

    /// Every bundle that was handed over.
    pub(crate) fn bundles(&self) -> Vec<Bundle> {
        let place = if self.is_test {
            "test-shelf"
        } else {
            "print-house"
        };
        let pickup = self.hub.path().join(place).join("pickup");
        let names = self.hub.names(&format!("{place}/pickup"));
        names
            .iter()
            .map(|name| Bundle::read(&pickup, name))
            .collect()
    }

    /// The sender's own pages of a letter.
    pub(crate) fn sent_pages(&self, message: MessageId) -> (&Path, PageRange) {
        let pages = self.hub.store.message(message).unwrap().message.pages;
        (self.sent.document(&pages.document), pages)
    }
}

/// The PDFs of a batch, each in a file of its own, by the names that messages have for them.
pub(crate) struct SentBatch {
    _folder: TempDir,
    documents: BTreeMap<String, PathBuf>,
}

impl SentBatch {
    pub(crate) fn of(zip: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut documents = BTreeMap::new();
        for (name, bytes) in pdfs_in("", zip) {
            let path = folder.path().join(format!("{}.pdf", documents.len()));
            fs::write(&path, bytes).unwrap();
            documents.insert(name, path);
        }
        Self {
            _folder: folder,
            documents,
        }
    }

    pub(crate) fn document(&self, name: &DocumentName) -> &Path {
        &self.documents[&name.0]
    }

    pub(crate) fn documents(&self) -> impl Iterator<Item = &Path> {
        self.documents.values().map(PathBuf::as_path)
    }
}

/// A bundle in the print house's hands.
pub(crate) struct Bundle {
    pub(crate) id: BundleId,
    pub(crate) folder: PathBuf,
    pub(crate) pieces: Vec<Piece>,
}

impl Bundle {
    fn read(pickup: &Path, name: &str) -> Self {
        let folder = pickup.join(name);
        let list = folder.join(format!("{name}.pieces.csv"));
        let mut rows = csv::Reader::from_path(list).unwrap();
        Self {
            id: name.parse().unwrap(),
            pieces: rows.deserialize().map(Result::unwrap).collect(),
            folder,
        }
    }

    /// Its PDF, piece list or job ticket.
    pub(crate) fn file(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}.{ending}", self.id))
    }

    pub(crate) fn pdf(&self) -> PathBuf {
        self.file("pdf")
    }

    /// The last page of the last piece.
    pub(crate) fn pages(&self) -> u32 {
        let last = self.pieces.last().unwrap();
        last.first_page + last.pages - 1
    }
}

/// A row of the piece list.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Piece {
    pub(crate) sequence: u32,
    #[serde(rename = "piece")]
    id: String,
    pub(crate) first_page: u32,
    pub(crate) pages: u32,
    pub(crate) sheets: u32,
    pub(crate) duplex: bool,
}

impl Piece {
    pub(crate) fn message(&self) -> MessageId {
        self.id.parse().unwrap()
    }

    /// Pages on one sheet of it.
    pub(crate) fn sides(&self) -> u32 {
        if self.duplex { 2 } else { 1 }
    }

    /// The sheet, from 1, whose front its page is, counted from 0; `None` for a back.
    pub(crate) fn sheet_in_front_of(&self, page: u32) -> Option<u32> {
        page.is_multiple_of(self.sides())
            .then_some(page / self.sides() + 1)
    }
}

/// Names as messages have them: that of a nested archive comes first.
fn pdfs_in(prefix: &str, zip: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = format!("{prefix}{}", entry.name().unwrap());
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        match Path::new(&name).extension().and_then(|end| end.to_str()) {
            Some("pdf") => found.push((name, bytes)),
            Some("zip") => found.extend(pdfs_in(&format!("{name}/"), &bytes)),
            _ => {}
        }
    }
    found
}
