//! What senders are shown, read by Kuori and by somebody else's checker.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use kuori::batch::{Archive, Limits};

use super::{
    invalid::found,
    parts::{A4, bundle, pdf, replaced, zip},
};
use crate::committed::{files_below, in_repository};

/// The `LetterBundle` in the sender guide.
fn example() -> String {
    let guide = fs::read_to_string(in_repository("docs/sender-guide.md")).unwrap();
    let (_, after) = guide.split_once("```xml\n<?xml").unwrap();
    let (example, _) = after.split_once("```").unwrap();
    format!("<?xml{example}")
}

#[test]
fn the_example_of_the_sender_guide_is_a_sound_batch() {
    let pdf = pdf(&[1, 1], A4);
    let files = [("a.xml", example().into_bytes()), ("letters.pdf", pdf)];
    let files = files.map(|(name, content)| (name.to_owned(), content));
    assert_eq!(found(&zip(&files)), []);
}

#[test]
#[ignore = "needs xmllint"]
fn control_data_of_the_valid_samples_satisfies_its_schema() {
    let mut seen = 0;
    for path in files_below("samples/batches/valid") {
        let bytes = fs::read(in_repository(&path)).unwrap();
        for xml in control_data(&bytes) {
            assert_eq!(complaint(&xml), None, "{path}");
            seen += 1;
        }
    }
    assert_eq!(seen, 5);
    assert_eq!(complaint(example().as_bytes()), None);
}

#[test]
#[ignore = "needs xmllint"]
fn control_data_with_a_wrong_value_does_not_satisfy_its_schema() {
    let sound = bundle(&[(1, 1)]);
    assert_eq!(complaint(sound.as_bytes()), None);
    for (from, to) in [
        ("isTest=\"false\"", "isTest=\"perhaps\""),
        ("startPage=\"1\"", "startPage=\"0\""),
        ("countryCode=\"FI\"", "countryCode=\"Suomi\""),
        ("<Subject ", "<Stapling/><Subject "),
    ] {
        let wrong = replaced(&sound, from, to);
        assert!(complaint(wrong.as_bytes()).is_some(), "{to}");
    }
}

/// Every `LetterBundle` in a ZIP; none where it is no ZIP, or holds ZIPs or a CSV.
fn control_data(bytes: &[u8]) -> Vec<Vec<u8>> {
    let Ok(archive) = Archive::open(bytes, &Limits::default()) else {
        return Vec::new();
    };
    let names = archive.entries().iter().map(|entry| entry.name.as_str());
    let names = names.filter(|name| name.to_lowercase().ends_with(".xml"));
    names
        .map(|name| archive.read(name).unwrap().into_owned())
        .collect()
}

/// What `xmllint` has to say against it.
fn complaint(xml: &[u8]) -> Option<String> {
    let is_old = String::from_utf8_lossy(xml).contains("urn:itella-letterbundle-v0x4");
    let version = if is_old { "v0x4" } else { "v1x0" };
    let mut child = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(in_repository(&format!(
            "schemas/letterbundle-{version}.xsd"
        )))
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(xml).unwrap();
    let said = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    (!said.status.success()).then_some(text)
}
