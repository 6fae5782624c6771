use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{BenchmarkGroup, Criterion, measurement::WallTime};
use csv::{ByteRecord, ReaderBuilder};
use kuori::{
    batch::{self, Archive, Limits},
    sample::Shape,
};
use quick_xml::{Reader, events::Event};

use crate::samples;

/// Control data alone, inflated and read to drafts, beside the bare parser over the same bytes,
/// inflated before. The two take turns, so that whatever else the machine does slows both.
pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("control");
    let letters = (Shape::ManyInOne, 100_000);
    compare(
        &mut group,
        "letter-bundle",
        letters,
        "quick-xml",
        &bare_quick_xml,
    );
    compare(&mut group, "csv", (Shape::Csv, 20_000), "csv", &bare_csv);
}

fn compare(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    (shape, letters): (Shape, u32),
    parser: &str,
    bare: &dyn Fn(&[u8]),
) {
    let mut turns = Vec::new();
    let mut bytes = 0;
    let mut batch = None;
    group.bench_function(format!("{name}/{letters}"), |bencher| {
        let zip = batch.get_or_insert_with(|| samples::batch(&samples::spec(letters, shape)));
        let limits = Limits::default();
        let archive = Archive::open(zip, &limits).unwrap();
        let control = control_data(&archive);
        bytes = control.len();
        bencher.iter_custom(|times| {
            let turn = || {
                let bare = timed(|| bare(&control));
                let ours = timed(|| {
                    let counted = batch::count_letters(&archive, &limits).unwrap();
                    assert_eq!(counted, u64::from(letters));
                });
                (bare, ours)
            };
            let first = turns.len();
            turns.extend((0..times).map(|_| turn()));
            turns.iter().skip(first).map(|(_, ours)| *ours).sum()
        });
    });
    if !turns.is_empty() {
        tell(bytes, parser, &turns);
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

/// Medians of all turns.
fn tell(bytes: usize, parser: &str, turns: &[(Duration, Duration)]) {
    let median = |mut seconds: Vec<f64>| {
        seconds.sort_by(f64::total_cmp);
        seconds.get(seconds.len() / 2).copied().unwrap()
    };
    let bare = turns.iter().map(|(bare, _)| bare.as_secs_f64()).collect();
    let ours = turns.iter().map(|(_, ours)| ours.as_secs_f64()).collect();
    let ratio = turns
        .iter()
        .map(|(bare, ours)| bare.as_secs_f64() / ours.as_secs_f64());
    let megabytes = f64::from(u32::try_from(bytes).unwrap()) / 1e6;
    let rate = |seconds| megabytes / seconds;
    println!(
        "{megabytes:.1} MB: bare {parser} {:.0} MB/s, inflated and read to drafts {:.0} MB/s, ratio {:.2}",
        rate(median(bare)),
        rate(median(ours)),
        median(ratio.collect()),
    );
}

fn control_data(archive: &Archive<'_>) -> Vec<u8> {
    let mut entries = archive.entries().iter();
    let is_control = |name: &str| name.ends_with("xml") || name.ends_with("csv");
    let entry = entries.find(|entry| is_control(&entry.name)).unwrap();
    archive.read(&entry.name).unwrap().into_owned()
}

/// Every event, every attribute, every text; nothing is kept.
fn bare_quick_xml(bytes: &[u8]) {
    let mut reader = Reader::from_reader(bytes);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) => {
                for attribute in tag.attributes() {
                    black_box(attribute.unwrap());
                }
            }
            Event::Text(text) => {
                black_box(text);
            }
            Event::Eof => break,
            other => {
                black_box(other);
            }
        }
    }
}

fn bare_csv(bytes: &[u8]) {
    let mut reader = ReaderBuilder::new().from_reader(bytes);
    let mut row = ByteRecord::new();
    while reader.read_byte_record(&mut row).unwrap() {
        black_box(&row);
    }
}
