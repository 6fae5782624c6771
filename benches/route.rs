use std::hint::black_box;

use criterion::{Criterion, Throughput};
use jiff::Timestamp;
use kuori::{
    domain::{Asked, Fitness, MailboxStatus, Message},
    routing::{self, Policy, Question},
};

use crate::samples;

const MESSAGES: u32 = 100_000;

/// Deciding alone; asking the register is in `store`.
pub(crate) fn bench(criterion: &mut Criterion) {
    let messages = samples::messages(MESSAGES);
    let questions: Vec<_> = messages.iter().map(question).collect();
    let policy = Policy::default();
    let mut group = criterion.benchmark_group("route");
    group.throughput(Throughput::Elements(MESSAGES.into()));
    group.bench_function(format!("decide/{MESSAGES}"), |bencher| {
        bencher.iter(|| {
            for question in &questions {
                black_box(routing::decide(question, &policy, Timestamp::UNIX_EPOCH));
            }
        });
    });
}

/// Two in three have a mailbox.
fn question(message: &Message) -> Question<'_> {
    let status = if message.position.is_multiple_of(3) {
        MailboxStatus::Inactive
    } else {
        MailboxStatus::Active
    };
    Question {
        message,
        fitness: Fitness::BOTH,
        status: Some(Asked {
            status,
            at: Timestamp::UNIX_EPOCH,
        }),
        batch_print_only: false,
        matter_is_print_only: false,
        waiting_since: None,
        forced: None,
    }
}
