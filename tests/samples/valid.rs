use std::{collections::BTreeSet, fs, process::Command};

use kuori::{
    domain::RecipientId,
    store::{ConsentChange, ConsentStatus},
};

use crate::{
    committed::{check_committed, files_below, in_repository},
    hub::{Hub, now},
};

const FOLDER: &str = "samples/batches/valid";
const CONSENTS: &str = "samples/batches/valid/consents.csv";

/// The commands in `samples/README.md`, each with the file that it makes.
fn commands() -> Vec<(String, Vec<String>)> {
    let readme = fs::read_to_string(in_repository("samples/README.md")).unwrap();
    let commands = readme
        .split('`')
        .filter(|text| text.starts_with("kuori sample -"));
    let words = |command: &str| {
        command
            .split(' ')
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let commands = commands
        .map(words)
        .map(|words| (words.last().unwrap().clone(), words));
    commands.collect()
}

#[test]
fn the_committed_batches_are_what_the_commands_in_the_readme_make() {
    let folder = tempfile::tempdir().unwrap();
    let mut consents = String::from("recipient_id,status,since\n");
    let mut expected = BTreeSet::from([CONSENTS.to_owned()]);
    for (file, words) in commands() {
        let made = Command::new(env!("CARGO_BIN_EXE_kuori"))
            .current_dir(folder.path())
            .args(&words)
            .args(["--consents", &format!("{file}.csv")])
            .output()
            .unwrap();
        assert!(made.status.success(), "{words:?}: {made:?}");
        let path = format!("{FOLDER}/{file}");
        check_committed(&path, &fs::read(folder.path().join(&file)).unwrap());
        let rows = fs::read_to_string(folder.path().join(format!("{file}.csv"))).unwrap();
        consents.extend(rows.lines().skip(1).map(|row| format!("{row}\n")));
        expected.insert(path);
    }
    check_committed(CONSENTS, consents.as_bytes());
    assert_eq!(expected, BTreeSet::from_iter(files_below(FOLDER)));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_letter_of_each_batch_is_delivered_or_printed() {
    for (file, _) in commands() {
        let hub = Hub::new();
        hub.store
            .record_consents(&consents(), "test", now())
            .unwrap();
        let bytes = fs::read(in_repository(&format!("{FOLDER}/{file}"))).unwrap();
        hub.process(&file, &bytes).await;
        let counts = hub.counts();
        assert!(
            counts.received > 0 && counts.delivered > 0,
            "{file} {counts:?}"
        );
        assert_eq!(counts.delivered + counts.printed, counts.received, "{file}");
        assert!(!hub.receipt("processing").contains("<Finding"), "{file}");
    }
}

fn consents() -> Vec<ConsentChange> {
    let text = fs::read_to_string(in_repository(CONSENTS)).unwrap();
    let change = |row: &str| {
        let [recipient, status, since] = row.split(',').collect::<Vec<_>>()[..] else {
            panic!("three columns");
        };
        ConsentChange {
            recipient: RecipientId::Person(recipient.parse().unwrap()),
            status: ConsentStatus::from_word(status).unwrap(),
            since: since.parse().unwrap(),
        }
    };
    text.lines().skip(1).map(change).collect()
}
