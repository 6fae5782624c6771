use std::io;

use criterion::{Criterion, SamplingMode, Throughput};
use jiff::Timestamp;
use kuori::{
    batch::{self, Archive},
    domain::{BundleId, DocumentName, PageRange},
    pdf::{DigestKey, Document, Limits},
    print::{self, BundleIdentity, BundlePlan, LetterPdf, LetterSource, Settings, SourceError},
    sample::Shape,
};

use crate::samples;

/// Bundles of one sender's letters out of one PDF, marks and all, written to nowhere.
pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compose");
    group.sampling_mode(SamplingMode::Flat);
    for letters in [1_000, 10_000] {
        let zip = samples::batch(&samples::spec(letters, Shape::ManyInOne));
        let pdf = only_pdf(&zip);
        let source = OnePdf(Document::open(&pdf, &Limits::default()).unwrap());
        let settings = Settings::default();
        let bundles = samples::bundles(&samples::letters(letters), &settings);
        group.throughput(Throughput::Elements(letters.into()));
        group.bench_function(format!("two-pages/{letters}"), |bencher| {
            bencher.iter(|| assert_eq!(compose(&bundles, &settings, &source), letters));
        });
        let written = written(&bundles, &settings, &source);
        group.bench_function(format!("read-back/{letters}"), |bencher| {
            bencher.iter(|| assert_eq!(read_back(&bundles, &settings, &written), letters * 2));
        });
    }
}

struct OnePdf<'a>(Document<'a>);

impl LetterSource for OnePdf<'_> {
    fn letter_pdf(&self, _: &PageRange) -> Result<LetterPdf<'_>, SourceError> {
        Ok(LetterPdf::Shared(&self.0))
    }
}

/// Gives the number of sheets: one a letter, since these print on both sides.
fn compose(bundles: &[BundlePlan], settings: &Settings, source: &OnePdf<'_>) -> u32 {
    let identity = identity();
    let composed = bundles.iter().map(|bundle| {
        let out = io::sink();
        print::compose(bundle, &identity, settings, source, out, &|_| {}).unwrap()
    });
    composed.map(|bundle| bundle.sheets).sum()
}

fn written(bundles: &[BundlePlan], settings: &Settings, source: &OnePdf<'_>) -> Vec<Vec<u8>> {
    let identity = identity();
    let written = bundles.iter().map(|bundle| {
        let mut pdf = Vec::new();
        print::compose(bundle, &identity, settings, source, &mut pdf, &|_| {}).unwrap();
        pdf
    });
    written.collect()
}

/// Gives the number of pages.
fn read_back(bundles: &[BundlePlan], settings: &Settings, written: &[Vec<u8>]) -> u32 {
    let identity = identity();
    let pages = bundles.iter().zip(written).map(|(bundle, pdf)| {
        let verified = print::verify(pdf, bundle, &identity, settings);
        verified.unwrap().pages
    });
    pages.sum()
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

pub(crate) fn only_pdf(zip: &[u8]) -> Vec<u8> {
    let limits = batch::Limits::default();
    let archive = Archive::open(zip, &limits).unwrap();
    let mut entries = archive.entries().iter();
    let pdf = entries.find(|entry| !entry.name.ends_with("xml")).unwrap();
    let name = DocumentName(pdf.name.clone());
    batch::read_document(&archive, &name, &limits)
        .unwrap()
        .into_owned()
}
