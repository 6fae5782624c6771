use criterion::{
    BatchSize, BenchmarkGroup, Criterion, SamplingMode, Throughput, measurement::WallTime,
};
use jiff::Timestamp;
use kuori::{
    domain::{
        BatchId, DuplicateLetterIds, Fitness, Message, PrintFacts, RecipientId, StatedRecipient,
    },
    store::{ConsentChange, ConsentStatus, NewBatch, NewMessage, Received, SpoolKey, Store},
};
use tempfile::TempDir;

use crate::samples;

const MESSAGES: u32 = 100_000;
const RECIPIENTS: u32 = 10_000;
/// As the steps do.
const PAGE: usize = 1_000;

/// Rows on the disk, each page synced.
pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("store");
    group.sampling_mode(SamplingMode::Flat);
    record(&mut group);
    ask(&mut group);
}

fn record(group: &mut BenchmarkGroup<'_, WallTime>) {
    let messages: Vec<_> = samples::messages(MESSAGES).into_iter().map(new).collect();
    group.throughput(Throughput::Elements(MESSAGES.into()));
    group.bench_function(format!("record-messages/{MESSAGES}"), |bencher| {
        bencher.iter_batched_ref(
            Shop::new,
            |shop| {
                for page in messages.chunks(PAGE) {
                    shop.store.record_messages(shop.batch, page).unwrap();
                }
                let row = shop.store.batch(shop.batch).unwrap();
                shop.store
                    .claim_letter_ids(&row, DuplicateLetterIds::Refuse)
                    .unwrap();
            },
            BatchSize::PerIteration,
        );
    });
}

fn ask(group: &mut BenchmarkGroup<'_, WallTime>) {
    let messages = samples::messages(RECIPIENTS);
    let recipients: Vec<_> = messages.iter().filter_map(recipient).collect();
    let shop = Shop::new();
    let granted = recipients.iter().map(|&recipient| ConsentChange {
        recipient: recipient.clone(),
        status: ConsentStatus::Granted,
        since: Timestamp::UNIX_EPOCH,
    });
    let page: Vec<_> = granted.collect();
    shop.store
        .record_consents(&page, "bench", Timestamp::UNIX_EPOCH)
        .unwrap();
    group.throughput(Throughput::Elements(recipients.len() as u64));
    group.bench_function(format!("mailbox-statuses/{RECIPIENTS}"), |bencher| {
        bencher.iter(|| {
            let answers = shop
                .store
                .mailbox_statuses(&recipients, Timestamp::UNIX_EPOCH);
            assert_eq!(answers.unwrap().len(), recipients.len());
        });
    });
}

/// A store with one batch that has no messages yet.
struct Shop {
    store: Store,
    batch: BatchId,
    _folder: TempDir,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let file = store.spool().begin().unwrap();
        let new = NewBatch {
            sender: "example-city".parse().unwrap(),
            file_name: "batch.zip".to_owned(),
            file: file.keep(&SpoolKey::new("batches", "batch.zip")).unwrap(),
            received_at: Timestamp::UNIX_EPOCH,
        };
        let received = store.receive(&new, None).unwrap();
        let (Received::New(batch) | Received::Again(batch)) = received;
        Self {
            store,
            batch,
            _folder: folder,
        }
    }
}

fn new(message: Message) -> NewMessage {
    NewMessage {
        message,
        fitness: Fitness::BOTH,
        facts: PrintFacts::default(),
        findings: Vec::new(),
    }
}

fn recipient(message: &Message) -> Option<&RecipientId> {
    match &message.recipient.id {
        StatedRecipient::Valid(id) => Some(id),
        StatedRecipient::Absent | StatedRecipient::Invalid => None,
    }
}
