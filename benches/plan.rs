use criterion::{Criterion, Throughput};
use kuori::{
    domain::Letter,
    print::{Planner, Settings},
};

use crate::samples;

const LETTERS: u32 = 100_000;

/// Grouping, sorting and splitting; then the same with letters that share envelopes, of which every
/// address gets two.
pub(crate) fn bench(criterion: &mut Criterion) {
    let letters = samples::letters(LETTERS);
    let mut group = criterion.benchmark_group("plan");
    group.throughput(Throughput::Elements(LETTERS.into()));
    group.bench_function(format!("letters/{LETTERS}"), |bencher| {
        bencher.iter(|| plan(&letters));
    });
    let households: Vec<_> = (1..).zip(&letters).map(two_at_an_address).collect();
    group.bench_function(format!("households/{LETTERS}"), |bencher| {
        bencher.iter(|| plan(&households));
    });
}

fn plan(letters: &[Letter]) -> usize {
    let settings = Settings::default();
    let mut planner = Planner::new(&settings);
    for letter in letters {
        planner.add(letter, 0).unwrap();
    }
    planner.finish().count()
}

fn two_at_an_address((position, letter): (u32, &Letter)) -> Letter {
    let mut letter = letter.clone();
    let name = position / 2;
    letter.shares_envelope = true;
    letter.recipient = None;
    letter.address.name = Some(format!("Person {name}").as_str().into());
    letter.address.street = Some(format!("Mallikatu {}", name % 977).as_str().into());
    letter.address.postal_code = Some("00100".into());
    letter
}
