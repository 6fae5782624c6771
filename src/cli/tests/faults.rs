//! Batches with faults, and tables of postal codes that say so.

use super::*;

#[test]
fn a_sample_with_faults_is_found_wrong_where_it_is() {
    let house = House::filled();
    let zip = house.path("a.zip");
    house.out(&format!(
        "sample {zip} --letters 4 --pages 1 --fault 2:us-letter-paper --fault 3:identity-code-slip"
    ));
    let said = house.kuori(&format!("check {zip}"));
    assert_eq!(said.code, 3);
    insta::assert_snapshot!(said.out, @r"
    Batch     a.zip: many-in-one, 4 letters, 1 document, 4 pages
    Mailbox   3 of 4 letters can go; 1 closed by recipient-id-invalid
    Print     2 of 4 letters can go; 2 closed by page-size (1), recipient-id-invalid (1)

    error page-size, 1 time
      A page is not upright A4, within 2 mm.
      To do: Set the page size to 210 × 297 mm.
      - message 2, `kirjeet.pdf`, page 2, `kirjeet.xml`, line 23: the page measures 216 × 279 mm

    error recipient-id-invalid, 1 time
      The recipient's id is malformed or its check character is wrong.
      To do: Correct the id, or leave it out so that the letter is printed.
      - message 3, `kirjeet.xml`, line 36: `SSN`: the check character of the identity code does not match

    Verdict   would be accepted: 2 of 4 letters; 1 only if the recipient has a mailbox; 1 refused
    ");
    let said = house.kuori(&format!("sample {zip} --fault 2:ink"));
    assert_eq!(said.code, 2);
}

#[test]
fn a_table_of_postal_codes_is_named_on_the_command_line() {
    let house = House::filled();
    let zip = house.path("a.zip");
    house.out(&format!("sample {zip} --letters 3 --pages 1"));
    let table = house.file("codes.csv", "postal_code,locality_fi\n99999,Korvatunturi\n");
    let said = house.kuori(&format!("check {zip} --postal-codes {table} --examples 0"));
    assert_eq!(said.code, 3);
    insta::assert_snapshot!(said.out, @r"
    Batch     a.zip: many-in-one, 3 letters, 1 document, 3 pages
    Mailbox   3 of 3 letters can go
    Print     3 of 3 letters can go

    warning postal-code-unknown, 3 times
      The table of postal codes does not have the postal code.
      To do: Check the code: the letter is posted as it is. A very new code may be missing from the table.

    Verdict   would be accepted: 3 of 3 letters
    ");
    let table = house.file(
        "bad.csv",
        "postal_code,locality_fi\n9999,Korvatunturi\n99999,\n",
    );
    let said = house.kuori(&format!("check {zip} --postal-codes {table}"));
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.err.replace(&table, "bad.csv"), @r"
    error: `bad.csv` is no table of postal codes
      caused by: line 2 has no postal code of five digits
      caused by: line 3 has no locality

    hint: docs/settings.md says what `postal_codes_file` can be
    ");
}

#[test]
fn a_bad_row_of_the_table_of_postal_codes_is_a_problem_of_the_settings() {
    let house = House::filled();
    let table = house.file(
        "bad.csv",
        "postal_code,locality_fi\n9999,Korvatunturi\n99999,\n",
    );
    let settings = |table: &str| {
        let text = format!("postal_codes_file = \"{table}\"\n[senders.example-city]\n");
        house.kuori(&format!("config check {}", house.file("kuori.toml", &text)))
    };
    let said = settings(&table);
    assert_eq!(said.code, 78);
    let told = said.err.replace(&table, "bad.csv");
    let told: Vec<_> = told.lines().skip(1).take(2).collect();
    assert_eq!(
        told,
        [
            "  `postal_codes_file` names `bad.csv`: line 2 has no postal code of five digits",
            "  `postal_codes_file` names `bad.csv`: line 3 has no locality",
        ]
    );
    let said = settings("/nowhere/codes.csv");
    assert_eq!(said.code, 78);
    assert!(
        said.err.contains("`/nowhere/codes.csv`: it cannot be read"),
        "{}",
        said.err
    );
}
