use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::House;

/// A house with a batch of which so many letters are on paper of another size, and where pictures go.
fn with_wrong_paper(letters: u32) -> (House, String) {
    let house = House::filled();
    let zip = house.path("a.zip");
    let faults = (1..=letters).map(|letter| format!("--fault {letter}:us-letter-paper"));
    let faults: Vec<_> = faults.collect();
    let faults = faults.join(" ");
    house.out(&format!(
        "sample {zip} --letters 4 --pages 1 --shape csv {faults}"
    ));
    let check = format!(
        "check {zip} --examples 0 --overlay {}",
        house.path("pictures")
    );
    (house, check)
}

fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn each_page_with_an_error_is_drawn_for_its_owners_eyes() {
    let (house, check) = with_wrong_paper(2);
    let said = house.kuori(&check);
    assert_eq!(said.code, 3, "{}", said.err);
    let folder = house.path("pictures");
    let files = names(&folder);
    assert_eq!(files, ["a-L-1-1-1.png", "a-L-1-2-1.png"]);
    assert_eq!(
        (mode(&folder), mode(format!("{folder}/{}", files[0]))),
        (0o700, 0o600)
    );
    let told = said.out.replace(&folder, "DIR");
    let told = &told[told.find("Picture").unwrap()..];
    insta::assert_snapshot!(told, @r"
    Picture   DIR/a-L-1-1-1.png  page 1 of `L-1-1.pdf`
    Picture   DIR/a-L-1-2-1.png  page 1 of `L-1-2.pdf`

    green     mark, line under the mark
    blue      recipient window
    orange    sender window
    ");
}

#[test]
fn pictures_end_at_their_number_and_the_rest_is_counted() {
    let (house, check) = with_wrong_paper(3);
    let folder = house.path("pictures");
    let said = house.kuori(&format!("{check} --overlay-pages 3"));
    assert_eq!(names(&folder).len(), 3);
    assert!(!said.out.contains("--overlay-pages"), "{}", said.out);
    let said = house.kuori(&format!("{check} --overlay-pages 2 --force"));
    assert!(
        said.out.contains("1 page more: `--overlay-pages`"),
        "{}",
        said.out
    );
}

#[test]
fn a_folder_with_files_is_not_drawn_into_unless_that_is_asked_for() {
    let (house, check) = with_wrong_paper(1);
    house.kuori(&check);
    let said = house.kuori(&check);
    assert_eq!(said.code, 1);
    let told = said.err.replace(&house.path("pictures"), "DIR");
    insta::assert_snapshot!(told, @r"
    error: `DIR` has files already

    hint: name another folder, or add `--force`
    ");
    assert_eq!(house.kuori(&format!("{check} --force")).code, 3);
}

#[test]
fn a_batch_in_order_makes_no_folder() {
    let (house, check) = with_wrong_paper(0);
    let said = house.kuori(&check);
    assert!(!said.out.contains("Picture "), "{}", said.out);
    assert!(!Path::new(&house.path("pictures")).exists());
}

#[test]
fn a_preview_that_cannot_be_drawn_says_what_to_type() {
    let house = House::filled();
    let told = |line: &str| {
        let said = house.kuori(&format!("--quiet bundle preview {line}"));
        assert_ne!(said.code, 0, "{line}");
        said.err
    };
    insta::assert_snapshot!(told("P-0001 --piece 2"), @r"
    error: P-0001 has no piece 2, but 1 piece

    hint: see `kuori bundle show P-0001`
    ");
    insta::assert_snapshot!(told("P-0003 --piece 1"), @r"
    error: P-0003 was withdrawn before hand-over

    hint: `kuori bundle list --batch B-0001` has those that hold
    ");
    insta::assert_snapshot!(told("P-0001 --piece 1"), @r"
    error: the PDF of P-0001 is not in the spool any more

    hint: bring it back from a backup, or look at the print house's copy
    ");
    insta::assert_snapshot!(told("B-0001 --piece 1"), @r"
    error: B-0001 has 2 bundles

    hint: name one: `kuori bundle list --batch B-0001` has them
    ");
    insta::assert_snapshot!(told("P-0099 --piece 1"), @r"
    error: there is no bundle P-0099

    hint: see `kuori bundle list`
    ");
}
