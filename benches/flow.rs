use criterion::{BatchSize, Criterion, SamplingMode, Throughput};
use kuori::sample::Shape;

use crate::{house::House, samples};

const LETTERS: u32 = 1_000;

/// From the inbox to mailboxes, print house and receipts; wall time with every sync to the disk.
pub(crate) fn bench(criterion: &mut Criterion) {
    let spec = samples::spec(LETTERS, Shape::ManyInOne);
    let uploaded = || {
        let house = House::new();
        house.upload(&spec);
        house
    };
    let mut group = criterion.benchmark_group("flow");
    group.sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements(LETTERS.into()));
    group.bench_function(format!("whole/{LETTERS}"), |bencher| {
        bencher.iter_batched_ref(
            uploaded,
            |house| house.run(LETTERS),
            BatchSize::PerIteration,
        );
    });
}
