use std::fs;

use proptest::prelude::*;
use zip::CompressionMethod::{Deflated, Stored};

use super::{
    hostile,
    invariants::{self, settings, small_pdf, told, zipped},
    mutation::{changed_bytes, mutated, mutations},
    seeds::seeds,
};
use crate::committed::in_repository;

const XML: &str = "<?xml version='1.0' encoding='UTF-8'?>\n\
    <LetterBundle xmlns='urn:itella.com:/schema/ipost/letterbundle/v1x0'><Bundle><BundleCommon>\
    <Processing><StdBundleProcessing customerId='900001' password='SECRET' letterClass='2'/></Processing>\
    <ExternalFile fileName='kirjeet.pdf'/></BundleCommon>\n\
    <Letter senderLetterId='K-1'><LetterMeta><Location startPage='1' pages='2'/><Recipient SSN='010190Y900P'>\
    <Address><Eu1 name='Maija Mallikas' address='Mallikatu 1' postalCode='00100' city='Helsinki'/></Address>\
    </Recipient></LetterMeta></Letter>\n\
    <Letter senderLetterId='K-2'><LetterMeta><Location startPage='3' pages='1'/></LetterMeta></Letter>\n\
    </Bundle></LetterBundle>\n";
const CSV: &str = "file,recipient_id,name,start_page,pages\n\
    kirjeet.pdf,010190Y900P,\"Maija Mallikas\",1,2\nkirjeet.pdf,,\"Matti Mallikas\",3,1\n";

/// Few enough for a build without optimisation, and quick to shrink.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 1_000,
        ..ProptestConfig::default()
    }
}

fn with_xml(xml: &[u8], pdf: &[u8]) -> Vec<u8> {
    zipped(Deflated, &[("kirjeet.pdf", pdf), ("kirjeet.xml", xml)])
}

fn with_csv(csv: &[u8], pdf: &[u8]) -> Vec<u8> {
    zipped(Stored, &[("kirjeet.pdf", pdf), ("batch.csv", csv)])
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn arbitrary_bytes_keep_the_invariants(bytes in prop::collection::vec(any::<u8>(), 0..1_000)) {
        for (_, check) in invariants::TARGETS {
            check(&bytes);
        }
        invariants::batch(&with_xml(XML.as_bytes(), &bytes));
    }

    #[test]
    fn hostile_rows_keep_the_invariants(table in hostile::table()) {
        invariants::batch_csv(table.as_bytes());
    }

    #[test]
    fn hostile_letters_keep_the_invariants(bundle in hostile::bundle()) {
        invariants::letter_bundle(bundle.as_bytes());
    }

    #[test]
    fn hostile_objects_keep_the_invariants(pdf in hostile::pdf()) {
        invariants::pdf(&pdf);
    }

    #[test]
    fn a_batch_with_damaged_parts_keeps_the_invariants(
        of_xml in mutations(), of_pdf in mutations(), of_csv in mutations(), of_zip in mutations(),
    ) {
        let pdf = mutated(&small_pdf(3), &of_pdf);
        let xml = with_xml(&mutated(XML.as_bytes(), &of_xml), &pdf);
        let csv = with_csv(&mutated(CSV.as_bytes(), &of_csv), &pdf);
        for bytes in [&xml, &csv, &zipped(Deflated, &[("1.zip", &xml), ("2.zip", &csv)])] {
            invariants::batch(bytes);
            let damaged = mutated(bytes, &of_zip);
            invariants::batch(&damaged);
            invariants::archive(&damaged);
        }
    }

    #[test]
    fn a_damaged_batch_repeats_no_personal_data(of_xml in changed_bytes(), of_csv in changed_bytes()) {
        let pdf = small_pdf(3);
        let xml = with_xml(&mutated(XML.as_bytes(), &of_xml), &pdf);
        let csv = with_csv(&mutated(CSV.as_bytes(), &of_csv), &pdf);
        for finding in [xml, csv].iter().flat_map(|bytes| told(bytes, &settings())) {
            for secret in ["SECRET", "Mallikas", "900001"] {
                prop_assert!(!finding.detail.contains(secret), "{finding:?}");
            }
        }
    }
}

proptest! {
    // These are whole letters with fonts and pictures: each takes its time.
    #![proptest_config(config(64))]

    #[test]
    fn a_damaged_sample_keeps_the_invariants(
        which in any::<prop::sample::Index>(), mutations in mutations(),
    ) {
        let files = ["csv", "many-in-one-latin1-v0x4", "many-in-one-utf8", "many-pairs", "nested", "one-letter"];
        let path = format!("samples/batches/valid/{}.zip", which.get(&files));
        let bytes = mutated(&fs::read(in_repository(&path)).unwrap(), &mutations);
        invariants::archive(&bytes);
        invariants::batch(&bytes);
    }

    #[test]
    fn a_damaged_sample_pdf_keeps_the_invariants(
        which in any::<prop::sample::Index>(), mutations in mutations(),
    ) {
        let seeds = seeds();
        let pdfs: Vec<_> = seeds.iter().filter(|seed| seed.target == "pdf").collect();
        invariants::pdf(&mutated(&which.get(&pdfs).bytes, &mutations));
    }
}
