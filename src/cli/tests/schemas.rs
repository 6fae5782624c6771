//! Each `--json` output has a schema in `schemas/cli/`; this holds one to the other.

use std::{
    fs,
    path::{Path, PathBuf},
};

use schemars::{Schema, schema_for};
use serde_json::Value;

use super::{House, mismatch::mismatch};
use crate::{
    cli::{
        account, alert, audit, backup, batch, bundle, check, config, consent, demo, dev, events,
        finding, inbox, message, notices, outbox, process, purge, queue, receipt, reprocess,
        restore, sample, sender, sftp, status, suomifi, timer, verify,
    },
    store::{ServiceInSettings, Store},
};

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/config/demo.toml");

/// Name of the schema, and the schema of the structs that the command prints.
fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("batch-list", schema_for!(batch::list::BatchList)),
        ("batch-show", schema_for!(batch::show::BatchShown)),
        (
            "batch-findings",
            schema_for!(batch::findings::BatchFindings),
        ),
        ("batch-approve", schema_for!(batch::approve::Approved)),
        ("batch-cancel", schema_for!(batch::cancel::Cancelled)),
        ("batch-hold", schema_for!(batch::hold::BatchHeld)),
        ("batch-release", schema_for!(batch::release::BatchReleased)),
        ("sender-list", schema_for!(sender::list::SenderList)),
        ("sender-hold", schema_for!(sender::hold::SenderHeld)),
        (
            "sender-release",
            schema_for!(sender::release::SenderReleased),
        ),
        ("account-list", schema_for!(account::list::AccountList)),
        ("account-show", schema_for!(account::show::AccountShown)),
        ("account-change", schema_for!(account::deed::AccountChanged)),
        ("inbox-list", schema_for!(inbox::shown::InboxList)),
        ("message-list", schema_for!(message::list::MessageList)),
        ("message-show", schema_for!(message::MessageShown)),
        ("message-deed", schema_for!(message::deed::MessagesMoved)),
        ("bundle-list", schema_for!(bundle::BundleList)),
        ("bundle-show", schema_for!(bundle::BundleShown)),
        ("bundle-preview", schema_for!(bundle::preview::Previewed)),
        ("outbox-list", schema_for!(outbox::list::OutboxList)),
        ("outbox-retry", schema_for!(outbox::retry::Retried)),
        ("timer-list", schema_for!(timer::list::TimerList)),
        ("timer-stop", schema_for!(timer::stop::TimerStopped)),
        ("queue-list", schema_for!(queue::list::QueueList)),
        ("queue-move", schema_for!(queue::move_to::QueueMoved)),
        ("queue-retry", schema_for!(queue::retry::Retried)),
        ("status", schema_for!(status::shown::StatusShown)),
        ("alert-list", schema_for!(alert::list::AlertList)),
        ("alert-test", schema_for!(alert::test::AlertTested)),
        ("events", schema_for!(events::EventList)),
        ("dev-suomifi-stub", schema_for!(dev::suomifi_stub::Standing)),
        ("audit-list", schema_for!(audit::list::AuditList)),
        ("audit-verify", schema_for!(audit::verify::AuditVerified)),
        ("reprocess", schema_for!(reprocess::Reprocessed)),
        ("verify", schema_for!(verify::Report)),
        ("consent-import", schema_for!(consent::import::Imported)),
        ("consent-export", schema_for!(consent::export::Exported)),
        ("consent-feed", schema_for!(consent::feed::Fed)),
        ("consent-set", schema_for!(consent::set::ConsentChanged)),
        ("consent-show", schema_for!(consent::show::ConsentShown)),
        ("consent-list", schema_for!(consent::list::ConsentCounts)),
        ("purge", schema_for!(purge::Purged)),
        ("backup", schema_for!(backup::BackedUp)),
        ("backup-verify", schema_for!(backup::BackupVerified)),
        ("restore", schema_for!(restore::Restored)),
        (
            "restore-status",
            schema_for!(restore::status::RestoreStatus),
        ),
        (
            "restore-printed",
            schema_for!(restore::printed::PrintedTold),
        ),
        ("restore-accept", schema_for!(restore::accept::Accepted)),
        ("restore-files", schema_for!(restore::files::FilesMended)),
        ("sample", schema_for!(sample::SampleMade)),
        ("check", schema_for!(check::Report)),
        ("finding", schema_for!(finding::Explained)),
        ("demo", schema_for!(demo::summary::Summary)),
        ("process", schema_for!(process::Processed)),
        ("receipt-key", schema_for!(receipt::KeyShown)),
        ("config-check", schema_for!(config::Checked)),
        ("notices-check", schema_for!(notices::NoticesChecked)),
        ("sftp-check", schema_for!(sftp::check::SftpChecked)),
        ("sftp-trust", schema_for!(sftp::trust::Trust)),
        ("suomifi-check", schema_for!(suomifi::check::SuomifiChecked)),
        (
            "suomifi-change-password",
            schema_for!(suomifi::change_password::PasswordChanged),
        ),
    ]
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/cli/{name}.schema.json"))
}

fn schema(name: &str) -> Value {
    let text = fs::read_to_string(path(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// With `KUORI_WRITE_SCHEMAS=1` the files are written anew.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a file of the source tree, not of the spool"
)]
fn the_schemas_in_the_repository_are_those_of_the_outputs() {
    for (name, made) in schemas() {
        let made = serde_json::to_string_pretty(&made).unwrap() + "\n";
        if std::env::var_os("KUORI_WRITE_SCHEMAS").is_some() {
            fs::write(path(name), &made).unwrap();
        }
        let there = fs::read_to_string(path(name)).unwrap_or_default();
        assert_eq!(there, made, "{name}: write it with KUORI_WRITE_SCHEMAS=1");
    }
}

/// A line a command, behind the name of its schema.
fn commands(house: &House) -> String {
    let (zip, csv) = (house.path("a.zip"), house.path("a.csv"));
    let (register, feed) = (house.path("register.csv"), house.path("feed"));
    fs::create_dir(&feed).unwrap();
    let (bad, no_zip) = (house.path("b.zip"), house.file("c.pdf", "%PDF-1.7"));
    house.out(&format!(
        "sample {bad} --letters 3 --pages 1 --fault 2:us-letter-paper"
    ));
    let (backup, restored) = (house.path("backup"), house.path("restored"));
    format!(
        "
        batch-list: batch list
        batch-show: batch show B-0001
        batch-findings: batch findings B-0001
        batch-approve: batch approve B-0001 --dry-run
        batch-cancel: batch cancel B-0001 --dry-run
        batch-hold: batch hold B-0001 --dry-run
        batch-hold: batch hold B-0001 --reason tests
        batch-show: batch show B-0001
        batch-release: batch release B-0001 --dry-run
        batch-release: batch release B-0001 --reason tests
        message-deed: message hold B-0001-4 --dry-run
        message-deed: message cancel B-0001-1 --dry-run
        audit-list: audit list
        audit-verify: audit verify
        sender-hold: sender hold example-city --reason tests
        sender-list: sender list
        sender-release: sender release example-city
        inbox-list: inbox list
        inbox-list: inbox list --sender example-city --config {DEMO}
        inbox-list: inbox poll --dry-run --config {DEMO}
        events: events --sender example-city
        account-change: account add example-city --generate --config {DEMO}
        account-list: account list
        account-show: account show example-city
        message-list: message list B-0001
        message-show: message show B-0001-6
        bundle-list: bundle list
        bundle-show: bundle show P-0001
        outbox-list: outbox list
        outbox-retry: outbox retry B-0001
        timer-list: timer list --due-before 36h
        timer-stop: timer stop B-0001-2 --dry-run
        queue-list: queue list
        queue-move: queue move old-letters city-letters --dry-run
        queue-retry: queue retry
        purge: purge --batch B-0001 --dry-run
        backup: backup {backup}
        backup-verify: backup verify {backup}
        restore: restore {backup} --data-dir {restored}
        restore-status: restore status --data-dir {restored}
        restore-files: restore files {backup} --data-dir {restored}
        restore-accept: restore accept --dry-run --data-dir {restored}
        events: events B-0001
        events: events B-0001-3
        events: events P-0001
        status: status
        alert-list: alert list
        reprocess: reprocess B-0001 --dry-run
        reprocess: reprocess B-0001 --from compose --dry-run
        sample: sample {zip} --letters 3 --consents {csv}
        check: check {zip}
        check: check {zip} {bad} {no_zip} --language sv
        finding: finding --language fi
        finding: finding page-size
        verify: verify --deep
        consent-import: consent import {csv}
        consent-set: consent set 010190-999W granted
        consent-show: consent show 010190-999W
        consent-show: consent show 010190-999W --history --as-of 2026-02-01
        consent-list: consent list
        consent-export: consent export {register}
        consent-import: consent import {register} --full --as-of 2026-02-01
        consent-feed: consent feed {feed}
        receipt-key: receipt key
        config-check: config check {DEMO}
        sftp-check: sftp check --config {DEMO}
        suomifi-check: suomifi check --config {DEMO}
        "
    )
}

#[test]
fn every_json_output_satisfies_its_schema() {
    let house = House::filled();
    let store = Store::open(Path::new(&house.path("data"))).unwrap();
    // A service that was named anew: the settings know its old name no more.
    for name in ["old-letters", "city-letters"] {
        let service = ServiceInSettings {
            name: name.parse().unwrap(),
            rate_per_sec: 1.0,
        };
        store.know_services(&[service]).unwrap();
    }
    let commands = commands(&house);
    let commands = commands
        .lines()
        .filter_map(|line| line.trim().split_once(": "));
    for (name, line) in commands {
        let said = house.kuori(&format!("{line} --json"));
        let document: Value = serde_json::from_str(&said.out).unwrap();
        let schema = schema(name);
        let wrong = mismatch(&schema, &schema, &document);
        assert_eq!(wrong, None, "{line}");
    }
}
