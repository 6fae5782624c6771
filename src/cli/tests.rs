//! Commands as they are typed, against a house that the store's own calls have filled.

mod accounts;
mod check;
mod consents;
mod decisions;
mod faults;
mod holds;
mod house;
mod mismatch;
mod outbox;
mod pictures;
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
use crate::domain::Code;

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
fn batches_are_listed_the_newest_first() {
    insta::assert_snapshot!(House::filled().out("batch list"), @r"
    BATCH   SENDER        RECEIVED              AGE  STATE     MESSAGES  MAILBOX  PRINT  REFUSED  HELD  WAITS FOR        FILE
    B-0001  example-city  2026-03-01T06:00:00Z  2 h  composed         6        2      2        1     1  the step report  taxes_20260301060000.zip
    ");
}

#[test]
fn a_batch_shows_what_has_become_of_its_messages() {
    insta::assert_snapshot!(House::filled().both("batch show B-0001"), @r"
    Batch     B-0001  from example-city, 6 messages
    State     composed; 1 bundle waits for the print house
    Mailbox   2 delivered
    Print     2 in 2 bundles
    Refused   1 (see `kuori batch findings B-0001`)
    Held      1
    File      taxes_20260301060000.zip, 14 bytes
    Received  2026-03-01T06:00:00Z
    Bundle    P-0001 handed over, 1 letter on 1 sheet, for example-print
    Bundle    P-0002 composed, 1 letter on 1 sheet, for example-print
    Bundle    P-0003 withdrawn, 1 letter on 1 sheet, for example-print
    Outgoing  acknowledgement to sender:example-city, handed over 2026-03-01T06:12:09Z
    Outgoing  bundle P-0001 to print-house:example-print, handed over 2026-03-01T06:12:09Z
    Outgoing  bundle P-0002 to print-house:example-print, due: cannot reach `example-print`: connection refused (1 try; the next at 2026-03-01T08:02:00Z)
    hint: see `kuori message list B-0001 --state held`
    hint: when the cause is gone, `kuori reprocess B-0001 --dry-run` says what can be done again
    ");
}

#[test]
fn findings_are_grouped_by_code_with_places_and_remedies() {
    insta::assert_snapshot!(House::filled().out("batch findings B-0001"), @r"
    error letter-not-composable, 1 time
      The letter's pages could not be put into a bundle.
      To do: Make the PDF again by an ordinary program.
      - message 5: a page has no content

    error page-size, 1 time
      A page is not upright A4, within 2 mm.
      To do: Set the page size to 210 × 297 mm.
      - message 6, `letters.pdf`, page 12: 216 × 279 mm

    info control-data-unknown, 1 time
      The control data has an element, attribute or column that Kuori does not use.
      To do: Nothing, if you did not expect it to have an effect.
      - `control.xml`, line 3: `Letter@mood` is not known
    ");
}

#[test]
fn a_code_is_explained_in_the_language_asked_for() {
    let house = House::filled();
    insta::assert_snapshot!(house.out("finding page-size"), @r"
    Code      page-size
    Severity  error
    Channel   print

    A page is not upright A4, within 2 mm.
    To do: Set the page size to 210 × 297 mm.
    ");
    insta::assert_snapshot!(house.out("finding page-size --language fi"), @r"
    Code      page-size
    Severity  error
    Channel   print

    Sivu ei ole pystysuuntainen A4. Sallittu poikkeama on 2 mm.
    Ohje: Aseta sivukooksi 210 × 297 mm.
    ");
}

#[test]
fn without_a_code_all_are_listed() {
    let listed = House::filled().out("finding --language sv");
    assert_eq!(listed.lines().count(), 1 + Code::ALL.len());
    let row = listed
        .lines()
        .find(|line| line.starts_with("pdf-encrypted "));
    assert!(row.unwrap().ends_with("  PDF-filen är krypterad."));
}

#[test]
fn a_slip_in_a_code_is_answered_with_the_nearest_one() {
    let said = House::filled().kuori("finding page-szie");
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(said.err, @r"
    error: there is no code `page-szie`

    hint: did you mean `kuori finding page-size`?
    ");
    let said = House::filled().kuori("finding colour");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("`kuori finding` lists them all"));
}

#[test]
fn messages_are_listed_by_our_ids() {
    insta::assert_snapshot!(House::filled().out("message list B-0001"), @r"
    MESSAGE   STATE        CHANNEL  REASON            PAGES  BUNDLE
    B-0001-1  delivered    mailbox  mailbox-active        2  -
    B-0001-2  delivered    mailbox  mailbox-active        2  -
    B-0001-3  handed-over  print    mailbox-inactive      2  P-0001
    B-0001-4  composed     print    mailbox-inactive      2  P-0002
    B-0001-5  held         print    mailbox-inactive      2  -
    B-0001-6  refused      -        content-unusable      2  -
    ");
}

#[test]
fn messages_are_chosen_by_state_and_channel_and_read_in_pages() {
    let house = House::filled();
    insta::assert_snapshot!(house.out("message list B-0001 --channel print --state handed-over"), @r"
    MESSAGE   STATE        CHANNEL  REASON            PAGES  BUNDLE
    B-0001-3  handed-over  print    mailbox-inactive      2  P-0001
    ");
    insta::assert_snapshot!(house.both("message list B-0001 --limit 1 --after 2"), @r"
    MESSAGE   STATE        CHANNEL  REASON            PAGES  BUNDLE
    B-0001-3  handed-over  print    mailbox-inactive      2  P-0001
    hint: add `--after B-0001-3` for the next ones
    ");
}

#[test]
fn a_message_shows_where_it_is_and_why() {
    let house = House::filled();
    insta::assert_snapshot!(house.out("message show B-0001-1"), @r"
    Message   B-0001-1
    State     delivered
    Pages     2 from page 1 of `letters.pdf`
    Route     mailbox (mailbox-active)
    Mailbox   active, asked 2026-03-01T06:02:00Z
    Delivered 2026-03-01T06:05:00Z
    ");
    insta::assert_snapshot!(house.out("message show B-0001-6"), @r"
    Message   B-0001-6
    State     refused
    Pages     2 from page 11 of `letters.pdf`
    Route     none (content-unusable)

    error page-size, 1 time
      A page is not upright A4, within 2 mm.
      To do: Set the page size to 210 × 297 mm.
      - message 6, `letters.pdf`, page 12: 216 × 279 mm
    ");
}

#[test]
fn bundles_are_listed_and_shown_with_their_pieces() {
    let house = House::filled();
    insta::assert_snapshot!(house.out("bundle list --batch B-0001"), @r"
    BUNDLE  BATCH   PRINT HOUSE    STATE        LETTERS  PAGES  SHEETS  HANDED OVER           PICKED UP
    P-0003  B-0001  example-print  withdrawn          1      2       1  -                     -
    P-0002  B-0001  example-print  composed           1      2       1  -                     -
    P-0001  B-0001  example-print  handed-over        1      2       1  2026-03-01T06:12:09Z  overdue
    ");
    insta::assert_snapshot!(house.out("bundle show P-0001"), @r"
    Bundle    P-0001 handed over, 1 letter on 1 sheet, for example-print
    Batch     B-0001
    Post      economy, on both sides, envelope C5
    Handed    2026-03-01T06:12:09Z
    Picked up overdue

    PIECE  MESSAGE   FIRST PAGE  PAGES  SHEETS
        1  B-0001-3           1      2       1
    ");
}

#[test]
fn the_history_says_what_happened_and_who_did_it() {
    let house = House::filled();
    house.out("reprocess B-0001 --message 4 --from compose --reason damaged");
    insta::assert_snapshot!(house.out("events B-0001"), @r"
    AT                    BY     MESSAGE  WHAT                                     WHY
    2026-03-01T06:00:00Z  kuori  -        received
    2026-03-01T06:01:00Z  kuori  -        opened
    2026-03-01T06:01:00Z  kuori  -        1 message refused
    2026-03-01T06:05:00Z  kuori  -        2 messages delivered
    2026-03-01T06:10:00Z  kuori  -        planned P-0001: 1 letter
    2026-03-01T06:10:00Z  kuori  -        planned P-0002: 1 letter
    2026-03-01T06:10:00Z  kuori  -        planned P-0003: 1 letter
    2026-03-01T06:10:00Z  kuori  -        composed P-0001
    2026-03-01T06:10:00Z  kuori  -        composed P-0002
    2026-03-01T06:10:00Z  kuori  -        1 message composed in P-0001
    2026-03-01T06:10:00Z  kuori  -        1 message composed in P-0002
    2026-03-01T06:12:09Z  kuori  -        handed over P-0001
    2026-03-01T06:12:09Z  kuori  -        1 message handed over in P-0001
    2026-03-01T06:12:09Z  kuori  -        handed over the acknowledgement receipt
    2026-03-01T06:13:00Z  kuori  -        composed
    2026-03-01T06:13:00Z  kuori  -        1 message held
    2026-03-01T08:00:00Z  maija  4        reprocess from compose                   damaged
    2026-03-01T08:00:00Z  maija  -        withdrew P-0002                          damaged
    2026-03-01T08:00:00Z  maija  -        reprocess from compose                   damaged
    ");
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
