use criterion::{BatchSize, Criterion, Throughput};
use kuori::print::{self, Settings};

use crate::samples;

const LETTERS: u32 = 100_000;

/// Grouping, sorting and splitting.
pub(crate) fn bench(criterion: &mut Criterion) {
    let letters = samples::letters(LETTERS);
    let settings = Settings::default();
    let mut group = criterion.benchmark_group("plan");
    group.throughput(Throughput::Elements(LETTERS.into()));
    group.bench_function(format!("letters/{LETTERS}"), |bencher| {
        bencher.iter_batched(
            || letters.clone(),
            |letters| print::plan(letters, &settings),
            BatchSize::PerIteration,
        );
    });
}
