use super::*;

/// The specs of `samples/batches/valid`, as `samples/README.md` tells them.
fn committed() -> [(Spec, &'static [u8]); 4] {
    let spec = |letters, seed, shape| Spec {
        letters,
        seed,
        shape,
        ..Spec::default()
    };
    let latin1 = Spec {
        encoding: Encoding::Latin1,
        version: Version::V0x4,
        ..spec(2, 4, Shape::ManyInOne)
    };
    [
        (
            spec(3, 14, Shape::ManyInOne),
            include_bytes!("../../../samples/batches/valid/many-in-one-utf8.zip"),
        ),
        (
            latin1,
            include_bytes!("../../../samples/batches/valid/many-in-one-latin1-v0x4.zip"),
        ),
        (
            spec(1, 39, Shape::OneLetter),
            include_bytes!("../../../samples/batches/valid/one-letter.zip"),
        ),
        (
            spec(3, 32, Shape::Csv),
            include_bytes!("../../../samples/batches/valid/csv.zip"),
        ),
    ]
}

#[test]
fn the_committed_batches_are_what_the_generator_writes() {
    for (spec, file) in committed() {
        assert!(
            batch(&spec).0 == file,
            "the sample of seed {} is out of date: make it again as samples/README.md says",
            spec.seed
        );
    }
}

#[test]
fn the_committed_consents_are_those_of_the_committed_batches() {
    let mut expected = String::from("recipient_id,status,since\n");
    for (spec, _) in committed() {
        let csv = String::from_utf8(consents(&spec).1).unwrap();
        expected.extend(csv.lines().skip(1).map(|line| format!("{line}\n")));
    }
    let file = include_str!("../../../samples/batches/valid/consents.csv");
    assert_eq!(file, expected);
}
