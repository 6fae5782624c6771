use proptest::prelude::*;

use super::build::*;
use crate::batch::{Limits, Settings};

/// Opens whatever it is, and holds what came out to what must always hold.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    let limits = Limits {
        max_unpacked_bytes: 1 << 24,
        ..Limits::default()
    };
    let settings = Settings {
        limits,
        ..Settings::default()
    };
    let Ok(out) = open_named("a.zip", bytes, &settings) else {
        return Ok(());
    };
    let said = told(&Ok(Out { ..out }));
    prop_assert!(
        !said.contains("SECRET") && !said.contains("Mallikas") && !said.contains("010190Y900P")
    );
    let Ok(out) = open_named("a.zip", bytes, &settings) else {
        return Err(TestCaseError::fail(
            "the same bytes were opened and refused",
        ));
    };
    if out.opened.is_refused() {
        return Ok(());
    }
    for (at, message) in out.messages.iter().enumerate() {
        prop_assert_eq!(message.message.position as usize, at + 1);
        let pages = &message.message.pages;
        let document = out
            .opened
            .documents
            .iter()
            .find(|d| d.name == pages.document);
        let last = document.map_or(0, |document| document.pages);
        let is_inside = pages.first >= 1 && pages.count >= 1 && pages.last() <= last;
        prop_assert!(message.is_refused() || is_inside, "{:?} of {}", pages, last);
    }
    Ok(())
}

fn ranges() -> impl Strategy<Value = Vec<(u32, u32)>> {
    let near = 0_u32..8;
    let any = prop_oneof![4 => near, 1 => any::<u32>()];
    proptest::collection::vec((any.clone(), any), 0..6)
}

/// A valid batch with some bytes of its parts, or of the whole, changed.
fn mutated(bytes: &mut [u8], changes: &[(prop::sample::Index, u8)]) {
    for (index, value) in changes {
        if !bytes.is_empty() {
            bytes[index.index(bytes.len())] = *value;
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        check(&bytes)?;
        check(&zip(&[("a.xml", &bytes), ("a.pdf", &bytes)]))?;
        check(&zip(&[("batch.csv", &bytes)]))?;
    }

    #[test]
    fn whatever_pages_letters_claim_none_gets_pages_that_are_not_there(ranges in ranges(), pages in 0_usize..7) {
        check(&zip(&[("letters.pdf", &pdf(pages)), ("letters.xml", bundle(&ranges).as_bytes())]))?;
    }

    #[test]
    fn a_damaged_batch_never_panics(
        of_xml in changes(), of_pdf in changes(), of_csv in changes(), of_zip in changes(),
    ) {
        let mut xml = bundle(&[(1, 2), (3, 1)]).into_bytes();
        let mut pdf = pdf(3);
        let mut csv = b"file,recipient_id,name\nletters.pdf,010190Y900P,\"Maija Mallikas\"\n".to_vec();
        mutated(&mut xml, &of_xml);
        mutated(&mut pdf, &of_pdf);
        mutated(&mut csv, &of_csv);
        let mut with_xml = zip(&[("letters.pdf", &pdf), ("letters.xml", &xml)]);
        let mut with_csv = zip(&[("letters.pdf", &pdf), ("batch.csv", &csv)]);
        check(&with_xml)?;
        check(&with_csv)?;
        check(&zip(&[("1.zip", &with_xml), ("2.zip", &with_csv)]))?;
        mutated(&mut with_xml, &of_zip);
        mutated(&mut with_csv, &of_zip);
        check(&with_xml)?;
        check(&with_csv)?;
    }
}
