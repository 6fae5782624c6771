use std::convert::Infallible;

use criterion::{Criterion, Throughput};
use kuori::{
    batch::{self, Archive, LetterCheck, MemoryShelf, NoCheck, Settings},
    pipeline::PageCheck,
    sample::Shape,
};

use crate::samples;

/// Reading control data and checking every page, without recording anything; and the same without the
/// check.
pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("open");
    let cases = [
        ("many-in-one", Shape::ManyInOne, 1_000),
        ("many-in-one", Shape::ManyInOne, 10_000),
        ("csv", Shape::Csv, 1_000),
    ];
    let check = PageCheck::default();
    for (name, shape, letters) in cases {
        let zip = samples::batch(&samples::spec(letters, shape));
        group.throughput(Throughput::Elements(letters.into()));
        group.bench_function(format!("{name}/{letters}"), |bencher| {
            bencher.iter(|| open(&zip, letters, &check));
        });
        group.bench_function(format!("{name}-unchecked/{letters}"), |bencher| {
            bencher.iter(|| open(&zip, letters, &NoCheck));
        });
    }
}

fn open(zip: &[u8], letters: u32, check: &dyn LetterCheck) {
    let settings = Settings::default();
    let archive = Archive::open(zip, &settings.limits).unwrap();
    let mut sink = |_| Ok::<_, Infallible>(());
    let opened = batch::open(
        &archive,
        "batch.zip",
        &settings,
        &MemoryShelf,
        check,
        &mut sink,
    )
    .unwrap();
    assert_eq!((opened.messages, opened.is_refused()), (letters, false));
}
