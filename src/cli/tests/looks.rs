//! What can be seen of batches, messages, bundles and findings.

use super::house::House;
use crate::domain::Code;

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
