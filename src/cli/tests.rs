//! Commands as they are typed, against a house that the store's own calls have filled.

mod accounts;
mod check;
mod consents;
mod decisions;
mod faults;
mod holds;
mod house;
mod looks;
mod mismatch;
mod outbox;
mod pictures;
mod queues;
mod reprocessing;
mod samples;
mod schemas;
mod slips;
mod status;
mod suomifi;
mod verify;

use clap::CommandFactory;

use self::house::House;
use super::*;

#[test]
fn the_command_line_holds_together() {
    Arguments::command().debug_assert();
}

#[test]
fn the_first_page_of_help_names_every_command_and_exit_code() {
    insta::assert_snapshot!(Arguments::command().render_help(), @r"
    Takes batches of letters, delivers to digital mailboxes, and turns the rest into bundles for the
    print house

    Usage: kuori [OPTIONS] <COMMAND>

    Commands:
      run        Take batches, deliver, print and report, until stopped
      process    Take one batch from a file through all steps
      demo       Play the whole flow on an artificial batch
      check      Say all that is wrong with a batch, without taking it
      finding    Explain the code of a finding, or list them all
      sample     Make an artificial batch
      batch      Look at batches, approve, hold, release or cancel them
      sender     Look at senders, put them on hold or release them
      account    Say who may log in to the embedded server, and with what
      inbox      Look into the folders that batches come from
      message    Look at messages, hold, release or cancel them
      bundle     Look at what the print house gets
      outbox     Look at what waits to leave the house, and have it tried again
      timer      Look at messages that go on paper if nobody reads or confirms them in time
      queue      Look at what waits for a mailbox service
      status     Say what waits for what, the worst first, and what to type
      events     Print all that happened to one thing, oldest first
      audit      Look at what operators did, and whether all of it still stands there
      reprocess  Set messages back to a step, so that it is done again
      purge      Remove what is kept longer than it is needed
      alert      See what operators were told of, and try the command that tells them
      verify     Hold a data folder to the rules of the house
      backup     Copy the data folder as it is at one moment, while the daemon works
      restore    Make a data folder of a backup, and say what may have been done since
      consent    Keep the register of consents to digital delivery
      receipt    Look after the signatures of receipts
      config     Look at settings
      sftp       Try the SFTP servers of others, and learn their host keys
      dev        Try things against stand-ins for the services of others
      notices    Try the mail server that recipients are told through
      suomifi    Try the services of Suomi.fi Messages, and change their passwords

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Everywhere:
          --data-dir <DIR>       The data folder: database and spool [default: `kuori-data`, or
                                 `KUORI_DATA`]
          --json                 Print one JSON document (schemas: schemas/cli/)
      -q, --quiet                No notes, no hints, no progress: only data and errors
      -v, --verbose...           Log more; twice for all there is
          --log-format <FORMAT>  How log lines look [default: text] [possible values: text, json]

    Exit codes:
      0   done
      1   failed
      2   bad command line
      3   done, with findings
      75  failed, and the same again can work later
      78  bad settings
    ");
}

#[test]
fn a_house_that_is_not_there_is_not_made_by_looking() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let said = house::kuori(&nowhere, "batch list", "");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("there is no data folder"), "{}", said.err);
    assert!(!nowhere.exists());
}

#[test]
fn what_is_not_there_is_a_failure_that_says_where_to_look() {
    let said = House::filled().kuori("batch show B-0009");
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.err, @r"
    error: there is no batch B-0009

    hint: see `kuori batch list`
    ");
}

#[test]
fn a_look_that_nobody_can_have_is_a_failure_that_says_what_to_start() {
    let said = House::filled().kuori("inbox poll");
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.err, @r"
    error: nobody is there to look: no `kuori run` works in this data folder

    hint: start `kuori run`; it looks at once
    hint: `kuori process BATCH.zip` takes one batch by hand
    hint: `--dry-run` says what would be taken
    ");
    let said = House::filled().kuori("inbox list --sender exmple-city");
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("did you mean `example-city`?"),
        "{}",
        said.err
    );
}

#[test]
fn a_bundle_at_the_print_house_stops_reprocessing() {
    let said = House::filled().kuori("reprocess B-0001 --from route --reason x --deliver-again");
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.err, @r"
    error: batch `B-0001` has a bundle at the print house
      caused by: bundle `P-0001` was handed over at 2026-03-01T06:12:09Z

    hint: name the messages with `--message`, or add `--print-again`
    ");
}

#[test]
fn reprocessing_needs_a_reason_unless_it_is_a_rehearsal() {
    let house = House::filled();
    assert_eq!(house.kuori("reprocess B-0001").code, 2);
    insta::assert_snapshot!(house.out("reprocess B-0001 --dry-run"), @r"
    B-0001 would go back to the step `open`
    2 messages would be set back:
      B-0001-5  held to accepted
      B-0001-6  refused to accepted
    the sender would be told by processing report 1
    ");
    insta::assert_snapshot!(house.out("message list B-0001 --state refused"), @r"
    MESSAGE   STATE    CHANNEL  REASON            PAGES  BUNDLE
    B-0001-6  refused  -        content-unusable      2  -
    ");
}

#[test]
fn printing_again_is_done_only_for_whom_it_was_asked() {
    let house = House::filled();
    let line = "reprocess B-0001 --message B-0001-3 --from compose --print-again --reason damaged";
    insta::assert_snapshot!(house.out(line), @r"
    B-0001 goes back to the step `compose`
    1 message is set back:
      B-0001-3  handed-over to routed, printed a second time
    the sender is told by processing report 1
    ");
    insta::assert_snapshot!(house.out("message list B-0001 --channel print"), @r"
    MESSAGE   STATE     CHANNEL  REASON            PAGES  BUNDLE
    B-0001-3  routed    print    mailbox-inactive      2  -
    B-0001-4  composed  print    mailbox-inactive      2  P-0002
    B-0001-5  held      print    mailbox-inactive      2  -
    ");
}

#[test]
fn a_message_of_another_batch_is_a_bad_command_line() {
    let said = House::filled().kuori("reprocess B-0001 --message B-0002-1 --dry-run");
    assert_eq!(said.code, 2);
}

#[test]
fn a_batch_in_work_is_a_matter_of_time() {
    let house = House::filled();
    house.lease("B-0001");
    let said = house.kuori("reprocess B-0001 --dry-run");
    assert_eq!(said.code, 75);
    insta::assert_snapshot!(said.err, @r"
    error: batch `B-0001` is being worked on at this moment

    hint: type it again in a minute, or with `--wait 60`
    ");
}

#[test]
fn a_batch_that_is_no_batch_is_done_with_findings() {
    let house = House::filled();
    let file = house.file("batch.zip", "no ZIP");
    let said = house.kuori(&format!("check {file}"));
    assert_eq!(said.code, 3);
    insta::assert_snapshot!(said.out, @r"
    Batch     batch.zip: 0 letters, 0 documents, 0 pages

    error archive-unreadable, 1 time
      The file is not a ZIP archive, or its directory cannot be read.
      To do: Make the ZIP again and check it with `unzip -t` before you upload it.
      - the batch: it has no end record

    Verdict   would be refused: the whole batch, by archive-unreadable
    ");
}

#[test]
fn nothing_that_is_printed_names_a_recipient() {
    let house = House::filled();
    for line in [
        "batch list",
        "batch show B-0001",
        "batch findings B-0001",
        "message list B-0001",
        "message show B-0001-1",
        "bundle list",
        "bundle show P-0001",
        "events B-0001",
        "reprocess B-0001 --dry-run",
        "consent list",
        "batch approve B-0001 --dry-run",
        "batch cancel B-0001 --dry-run",
        "sender list",
    ] {
        for line in [line.to_owned(), format!("{line} --json")] {
            let said = house.kuori(&line).both();
            for secret in ["010190", "Mallikas", "Mallikatu", "Invoice 17", "case-"] {
                assert!(!said.contains(secret), "`{line}` says `{secret}`: {said}");
            }
        }
    }
}

#[test]
fn a_sender_that_the_settings_do_not_know_is_a_matter_of_settings() {
    let house = House::filled();
    let zip = house.path("a.zip");
    house.out(&format!("sample {zip} --letters 2"));
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/config/demo.toml");
    let check = |sender| house.kuori(&format!("check {zip} --config {config} --sender {sender}"));
    assert_eq!(check("example-city").code, 0);
    assert_eq!(check("nobody").code, 78);
}

#[test]
fn settings_that_want_signatures_are_in_order_once_their_key_is_there() {
    let house = House::filled();
    let folder = house.path("data");
    let text =
        format!("data_folder = \"{folder}\"\n[senders.example-city]\nsign_receipts = true\n");
    let settings = house.file("kuori.toml", &text);
    let said = house.kuori(&format!("config check {settings}"));
    assert_eq!(said.code, 78);
    insta::assert_snapshot!(said.err.replace(&folder, "data"), @r#"
    error: receipts are to be signed
      caused by: cannot read the signing key `data/receipt.key`
      caused by: No such file or directory (os error 2)

    hint: `kuori receipt key --config FILE` makes the key that the settings name
    "#);

    let line = format!("receipt key --config {settings}");
    let made = house.kuori(&line);
    assert!(made.err.starts_with("note: made"), "{}", made.err);
    let start = "kuori namespaces=\"kuori-receipt\" ssh-ed25519 ";
    assert!(made.out.starts_with(start), "{}", made.out);
    let again = house.kuori(&line);
    assert_eq!((again.out, again.err.as_str()), (made.out, ""));
    assert_eq!(house.kuori(&format!("config check {settings}")).code, 0);
    let two_words = house.kuori(&format!("{line} --identity a,b"));
    assert_eq!(two_words.code, 2);
}

#[test]
fn the_composed_letters_of_a_withdrawn_bundle_are_told() {
    let house = House::filled();
    insta::assert_snapshot!(house.out("reprocess B-0001 --message 4 --from route --dry-run"), @r"
    B-0001 would go back to the step `route`
    bundle P-0002 would be withdrawn
    1 message would be set back:
      B-0001-4  composed to accepted
    the sender would be told by processing report 1
    ");
}

#[test]
fn messages_that_were_delivered_are_delivered_again_only_by_name() {
    let house = House::filled();
    let said = house.kuori("reprocess B-0001 --message 1 --message 9 --from route --dry-run");
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.err, @r"
    error: batch `B-0001` has messages in recipients' mailboxes
      caused by: message B-0001-1 is in the recipient's mailbox
      caused by: there is no message B-0001-9

    hint: if they are to go out a second time, add `--deliver-again`
    ");
    let line = "reprocess B-0001 --message 1 --from deliver --deliver-again --reason lost";
    insta::assert_snapshot!(house.out(line), @r"
    B-0001 goes back to the step `deliver`
    1 message is set back:
      B-0001-1  delivered to routed, delivered a second time
    the sender is told by processing report 1
    ");
}
