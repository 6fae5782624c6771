use std::{fs, path::Path};

use super::House;

const INVALID: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/batches/invalid");
const VALID: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/batches/valid");
const PRODUCTION: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/samples/config/production.toml"
);

/// A house with a sample batch, and where that is.
fn with_sample(options: &str) -> (House, String) {
    let house = House::filled();
    let zip = house.path("a.zip");
    house.out(&format!("sample {zip} {options}"));
    (house, zip)
}

#[test]
fn a_finding_of_a_page_names_the_line_that_claims_the_page() {
    let (house, zip) = with_sample("--letters 6 --pages 1 --shape csv --fault 4:us-letter-paper");
    let said = house.kuori(&format!("check {zip}"));
    assert_eq!(said.code, 3);
    insta::assert_snapshot!(said.out, @r"
    Batch     a.zip: csv, 6 letters, 6 documents, 6 pages
    Mailbox   6 of 6 letters can go
    Print     5 of 6 letters can go; 1 closed by page-size

    error page-size, 1 time
      A page is not upright A4, within 2 mm.
      To do: Set the page size to 210 × 297 mm.
      - message 4, `L-1-4.pdf`, page 1, `batch.csv`, line 5: the page measures 216 × 279 mm

    Verdict   would be accepted: 5 of 6 letters; 1 only if the recipient has a mailbox
    ");
}

#[test]
fn what_closes_a_channel_is_told_by_code() {
    let options = "--letters 9 --pages 1 --fault 2:us-letter-paper --fault 3:us-letter-paper \
                   --fault 5:postal-code-missing --fault 7:identity-code-slip";
    let (house, zip) = with_sample(options);
    let said = house.kuori(&format!("check {zip} --examples 0"));
    insta::assert_snapshot!(said.out, @r"
    Batch     a.zip: many-in-one, 9 letters, 1 document, 9 pages
    Mailbox   8 of 9 letters can go; 1 closed by recipient-id-invalid
    Print     5 of 9 letters can go; 4 closed by page-size (2), address-incomplete (1), recipient-id-invalid (1)

    error page-size, 2 times
      A page is not upright A4, within 2 mm.
      To do: Set the page size to 210 × 297 mm.

    error recipient-id-invalid, 1 time
      The recipient's id is malformed or its check character is wrong.
      To do: Correct the id, or leave it out so that the letter is printed.

    warning address-incomplete, 1 time
      The address lacks a name, street, postal code or city.
      To do: Complete the address, so that the letter can be printed if it must.

    Verdict   would be accepted: 5 of 9 letters; 3 only if the recipient has a mailbox; 1 refused
    ");
}

#[test]
fn a_thousand_findings_of_one_code_are_one_paragraph() {
    let faults: Vec<_> = (1..=1_000)
        .map(|letter| format!("--fault {letter}:identity-code-slip"))
        .collect();
    let options = format!("--letters 1000 --pages 1 {}", faults.join(" "));
    let (house, zip) = with_sample(&options);
    let said = house.kuori(&format!("check {zip} --examples 2"));
    assert_eq!(said.code, 3);
    insta::assert_snapshot!(said.out, @r"
    Batch     a.zip: many-in-one, 1000 letters, 1 document, 1000 pages
    Mailbox   0 of 1000 letters can go; 1000 closed by recipient-id-invalid
    Print     0 of 1000 letters can go; 1000 closed by recipient-id-invalid

    error recipient-id-invalid, 1000 times
      The recipient's id is malformed or its check character is wrong.
      To do: Correct the id, or leave it out so that the letter is printed.
      - message 1, `kirjeet.xml`, line 10: `SSN`: the check character of the identity code does not match
      - message 2, `kirjeet.xml`, line 23: `SSN`: the check character of the identity code does not match
      - and 998 others

    Verdict   would be accepted: 0 of 1000 letters; 1000 refused
    ");
}

#[test]
fn a_batch_without_letters_is_refused() {
    let house = House::filled();
    let said = house.kuori(&format!("check {INVALID}/no-messages/header-only.zip"));
    assert_eq!(said.code, 3);
    insta::assert_snapshot!(said.out, @r"
    Batch     header-only.zip: csv, 0 letters, 0 documents, 0 pages

    error no-messages, 1 time
      The control data describes no letter.
      To do: Check the export that made the batch.
      - the batch: the control data describes no letter

    Verdict   would be refused: the whole batch, by no-messages
    ");
}

#[test]
fn batches_named_together_are_told_one_by_one_and_summed_up() {
    let (house, zip) = with_sample("--letters 3 --pages 1");
    let bad = house.path("b.zip");
    house.out(&format!(
        "sample {bad} --letters 4 --pages 1 --fault 1:identity-code-slip"
    ));
    let said = house.kuori(&format!("check {zip} {bad} --examples 1"));
    assert_eq!(said.code, 3);
    let folder = Path::new(&zip).parent().unwrap().to_str().unwrap();
    insta::assert_snapshot!(said.both().replace(folder, "DIR"), @r"
    Batch     DIR/a.zip: many-in-one, 3 letters, 1 document, 3 pages
    Mailbox   3 of 3 letters can go
    Print     3 of 3 letters can go
    Findings  none
    Verdict   would be accepted: 3 of 3 letters

    Batch     DIR/b.zip: many-in-one, 4 letters, 1 document, 4 pages
    Mailbox   3 of 4 letters can go; 1 closed by recipient-id-invalid
    Print     3 of 4 letters can go; 1 closed by recipient-id-invalid

    error recipient-id-invalid, 1 time
      The recipient's id is malformed or its check character is wrong.
      To do: Correct the id, or leave it out so that the letter is printed.
      - message 1, `kirjeet.xml`, line 10: `SSN`: the check character of the identity code does not match

    Verdict   would be accepted: 3 of 4 letters; 1 refused

    Batches   2; would be accepted: 6 of 7 letters; 1 refused
    ");
}

#[test]
fn a_folder_stands_for_the_batches_in_it() {
    let house = House::filled();
    let said = house.kuori(&format!("check {VALID} --json"));
    assert_eq!(said.code, 0, "{}", said.both());
    let told: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let batches = told["batches"].as_array().unwrap();
    let files: Vec<_> = batches
        .iter()
        .map(|batch| batch["file"].as_str().unwrap())
        .collect();
    let there = fs::read_dir(VALID).unwrap().map(|entry| entry.unwrap());
    let is_zip = |path: &Path| path.extension().is_some_and(|ending| ending == "zip");
    let mut there: Vec<_> = there
        .filter(|entry| is_zip(&entry.path()))
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    there.sort();
    assert_eq!(files, there);
    let letters = |batch: &serde_json::Value| batch["messages"].as_u64().unwrap();
    assert_eq!(told["messages"], batches.iter().map(letters).sum::<u64>());
}

#[test]
fn a_folder_with_the_parts_of_a_batch_is_answered_with_how_to_pack_it() {
    let house = House::filled();
    let folder = house.path("loose");
    fs::create_dir(&folder).unwrap();
    let check = || house.kuori(&format!("check {folder}"));
    assert!(check().err.contains("kuori sample"), "{}", check().err);
    for name in ["a.pdf", "b.PDF", "letters.xml"] {
        house.file(&format!("loose/{name}"), "");
    }
    let said = check();
    assert_eq!(said.code, 1);
    let parent = Path::new(&folder).parent().unwrap().to_str().unwrap();
    insta::assert_snapshot!(said.err.replace(parent, "DIR"), @r"
    error: there is no ZIP in `DIR/loose`, but 2 PDFs and 1 file with control data

    hint: a batch is a ZIP of them: `cd DIR/loose && zip -r ../batch.zip .`, then `kuori check ../batch.zip`
    ");
}

#[test]
fn a_file_that_is_no_zip_is_said_to_be_what_it_is() {
    let house = House::filled();
    let pdf = house.file("letter.pdf", "%PDF-1.7\n%%EOF\n");
    let said = house.kuori(&format!("check {pdf}"));
    assert_eq!(said.code, 3);
    let folder = Path::new(&pdf).parent().unwrap().to_str().unwrap();
    insta::assert_snapshot!(said.both().replace(folder, "DIR"), @r"
    Batch     letter.pdf: a PDF

    error archive-unreadable, 1 time
      The file is not a ZIP archive, or its directory cannot be read.
      To do: Make the ZIP again and check it with `unzip -t` before you upload it.
      - the batch: it has no end record

    Verdict   would be refused: the whole batch, by archive-unreadable
    hint: a batch is a ZIP with the PDF and its control data: `zip -j DIR/letter.zip DIR/letter.pdf DIR/letter.xml`, then `kuori check DIR/letter.zip`
    ");
}

#[test]
fn a_batch_on_standard_input_is_known_by_a_dash() {
    let house = House::filled();
    let said = house.asked("check -", "no ZIP");
    assert_eq!(said.code, 3);
    assert!(said.out.contains("archive-unreadable"), "{}", said.out);
    assert_eq!(house.asked("check - -", "").code, 2);
}

#[test]
fn a_slip_in_a_senders_name_is_understood() {
    let (house, zip) = with_sample("--letters 2 --pages 1");
    let check = |options| house.kuori(&format!("check {zip} --config {PRODUCTION} {options}"));
    let said = check("--sender exampel-city");
    assert_eq!(said.code, 78);
    insta::assert_snapshot!(said.err.replace(PRODUCTION, "FILE"), @r"
    error: `FILE` has no sender `exampel-city`

    hint: did you mean `--sender example-city`?
    ");
    assert!(check("").err.contains("--sender"), "{}", check("").err);
}

#[test]
fn one_bad_letter_refuses_a_batch_that_goes_whole_or_not_at_all() {
    let (house, zip) = with_sample("--letters 3 --pages 1 --fault 2:identity-code-slip");
    let config = house.file(
        "kuori.toml",
        "data_folder = \"data\"\n[server]\nenabled = false\n[senders.strict]\n\
         display_name = \"Strict\"\ngate = \"all-or-nothing\"\nartificial_ids = \"accept\"\ndirectory = \"strict\"\n",
    );
    let said = house.kuori(&format!("check {zip} --config {config} --examples 0"));
    insta::assert_snapshot!(said.both(), @r"
    Batch     a.zip: many-in-one, 3 letters, 1 document, 3 pages
    Mailbox   2 of 3 letters can go; 1 closed by recipient-id-invalid
    Print     0 of 3 letters can go; 3 closed by no-print-contract (2), recipient-id-invalid (1)

    error recipient-id-invalid, 1 time
      The recipient's id is malformed or its check character is wrong.
      To do: Correct the id, or leave it out so that the letter is printed.

    Verdict   would be refused: the whole batch, since 1 letter is refused and this sender's batches go whole or not at all
    ");
}

#[test]
fn a_batch_larger_than_is_taken_is_not_read() {
    let (house, zip) = with_sample("--letters 2 --pages 1");
    let config = house.file(
        "kuori.toml",
        "data_folder = \"data\"\n[server]\nenabled = false\n[senders.small]\n\
         display_name = \"Small\"\ndirectory = \"small\"\n[senders.small.limits]\nmax_zip_bytes = 1000\n",
    );
    let said = house.kuori(&format!("check {zip} --config {config}"));
    assert_eq!(said.code, 3, "{}", said.both());
    assert!(said.out.contains("archive-too-large"), "{}", said.out);
}
