use std::{collections::BTreeSet, convert::Infallible, fmt::Write as _};

use kuori::{
    batch::{self, Archive, MemoryShelf, OpenedMessage, Settings},
    domain::{BatchState, Code, Finding},
    pipeline::PageCheck,
};
use tokio::task::JoinSet;

use super::{
    built,
    catalogue::{self, Sample, Stops},
};
use crate::{
    committed::{check_committed, files_below},
    hub::Hub,
};

const FOLDER: &str = "samples/batches/invalid";

/// Most bytes of one sample, and of all of them.
const MAX_SAMPLE_BYTES: usize = 60_000;
const MAX_BYTES: usize = 1_500_000;

#[test]
fn the_committed_batches_are_those_that_the_makers_write() {
    let mut total = 0;
    let mut expected = vec![format!("{FOLDER}/README.md")];
    for sample in catalogue::all() {
        let bytes = (sample.make)();
        assert!(bytes.len() <= MAX_SAMPLE_BYTES, "{}", sample.path());
        total += bytes.len();
        check_committed(&sample.path(), &bytes);
        expected.push(sample.path());
    }
    assert!(total <= MAX_BYTES, "{total}");
    check_committed(&expected[0], list().as_bytes());
    expected.sort();
    assert_eq!(files_below(FOLDER), expected);
}

/// What a person reads beside the batches.
fn list() -> String {
    let mut text = String::from(
        "# Invalid batches\n\n\
         Each has one thing wrong, and `kuori check` finds that and what follows from it. The folder is the finding's code, which\n\
         [findings.md](../../../docs/findings.md) explains. Everything in them is invented. Made by `tests/samples`; this file too.\n\n\
         | batch | what is wrong | what it stops |\n| --- | --- | --- |\n",
    );
    for sample in catalogue::all() {
        let stops = match sample.stops {
            Stops::Batch => "the batch",
            Stops::Letter => "that letter",
            Stops::Nothing => "nothing",
        };
        let path = format!("{}/{}", sample.code, sample.file);
        writeln!(text, "| `{path}` | {} | {stops} |", sample.says).unwrap();
    }
    text
}

#[test]
fn every_code_has_a_sample_or_a_reason_why_it_has_none() {
    let sampled: BTreeSet<Code> = catalogue::all().iter().map(|sample| sample.code).collect();
    let built: BTreeSet<Code> = built::ALL.iter().map(|built| built.code).collect();
    assert_eq!(sampled.intersection(&built).next(), None);
    let awaited: BTreeSet<Code> = built::AWAITED.iter().map(|(code, _)| *code).collect();
    let known: BTreeSet<Code> = sampled.union(&built).copied().collect();
    assert_eq!(known.intersection(&awaited).next(), None);
    let all: BTreeSet<Code> = Code::ALL.iter().copied().collect();
    assert_eq!(known.union(&awaited).copied().collect::<BTreeSet<_>>(), all);
}

#[test]
fn opening_each_sample_finds_its_code_and_nothing_else() {
    for sample in catalogue::all() {
        let findings = found(&sample.committed());
        let codes: Vec<Code> = findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, sample.codes(), "{}: {findings:#?}", sample.path());
    }
}

/// All findings, as `kuori check` comes by them.
pub(super) fn found(bytes: &[u8]) -> Vec<Finding> {
    let settings = Settings::default();
    let archive = match Archive::open(bytes, &settings.limits) {
        Ok(archive) => archive,
        Err(findings) => return findings,
    };
    let mut findings = Vec::new();
    let mut sink = |page: Vec<OpenedMessage>| -> Result<(), Infallible> {
        findings.extend(page.into_iter().flat_map(|message| message.findings));
        Ok(())
    };
    let check = PageCheck::default();
    let opened = batch::open(
        &archive,
        "sample.zip",
        &settings,
        &MemoryShelf,
        &check,
        &mut sink,
    );
    findings.extend(opened.unwrap().findings);
    findings
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sample_stops_what_it_should_and_nothing_else() {
    let mut runs = JoinSet::new();
    for sample in catalogue::all() {
        runs.spawn(async move {
            let hub = Hub::new();
            hub.process(sample.file, &sample.committed()).await;
            let expected: BTreeSet<_> = sample.codes().iter().map(ToString::to_string).collect();
            assert_eq!(codes(&hub), Vec::from_iter(expected), "{}", sample.path());
            check_stopped(&sample, &hub);
        });
    }
    runs.join_all().await;
}

fn check_stopped(sample: &Sample, hub: &Hub) {
    let batch = &hub.store.batches(1).unwrap()[0];
    let quarantine = hub.names("data/spool/quarantine");
    let counts = hub.counts();
    let path = sample.path();
    if sample.stops == Stops::Batch {
        assert_eq!(batch.state, BatchState::Refused, "{path}");
        assert_eq!(quarantine, [format!("{}.zip", batch.id)], "{path}");
        assert_eq!(counts.received, counts.refused, "{path}");
        assert_eq!(hub.names("print-house/pickup"), [""; 0], "{path}");
        return;
    }
    let refused = u64::from(sample.stops == Stops::Letter);
    assert_eq!((counts.received, counts.refused), (2, refused), "{path}");
    assert_eq!(counts.printed, 2 - refused, "{path} {counts:?}");
    assert_eq!(quarantine, [""; 0], "{path}");
}

/// The codes in the report to the sender, each once.
pub(super) fn codes(hub: &Hub) -> Vec<String> {
    let receipt = hub.receipt("processing");
    let codes = receipt.split("<Finding code=\"").skip(1);
    let codes: BTreeSet<_> = codes.map(|rest| rest.split('"').next().unwrap()).collect();
    codes.into_iter().map(str::to_owned).collect()
}
