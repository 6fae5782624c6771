//! A bundle's PDF is read back before anything of it is handed over.

use std::fs;

use kuori::{
    domain::BatchState,
    print::{self, MarkSettings, OmrSettings},
    sample::Spec,
};

use crate::hub::{Hub, sample_bytes};

fn spec() -> Spec {
    Spec {
        letters: 5,
        digital_share: 0.0,
        ..Spec::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_is_not_as_planned_holds_its_batch_and_leaves_nothing() {
    // Drawn at no place at all: what no file of settings can say, and what no reader can find again.
    let nowhere = OmrSettings {
        x_mm: f64::NAN,
        ..OmrSettings::default()
    };
    let hub = Hub::with_print(print::Settings {
        marks: MarkSettings {
            omr: Some(nowhere),
            ..MarkSettings::default()
        },
        ..print::Settings::default()
    });
    hub.process("batch.zip", &sample_bytes(&spec())).await;
    let batch = &hub.store.batches(1).unwrap()[0];
    assert_eq!(batch.state, BatchState::Held);
    let told = batch.reason.as_deref().unwrap_or_default();
    assert!(
        told.contains("was read back, and its page 1 lacks the OMR lines of its sheet"),
        "{told}"
    );
    assert!(hub.names("print-house/pickup").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_print_house_that_wants_xjdf_gets_it_before_the_job_ticket_and_the_marker() {
    let hub = Hub::with_print(print::Settings {
        xjdf: true,
        ..print::Settings::default()
    });
    hub.process("batch.zip", &sample_bytes(&spec())).await;
    let bundles = hub.names("print-house/pickup");
    assert_eq!(bundles.len(), 1);
    let bundle = &bundles[0];
    let endings = ["job.xml", "ok", "pdf", "pieces.csv", "xjdf"];
    assert_eq!(
        hub.names(&format!("print-house/pickup/{bundle}")),
        endings.map(|ending| format!("{bundle}.{ending}"))
    );
    let folder = hub.print_house_folder().join("pickup").join(bundle);
    let xjdf = fs::read_to_string(folder.join(format!("{bundle}.xjdf"))).unwrap();
    assert!(xjdf.contains(&format!("URL=\"{bundle}.pdf\"")), "{xjdf}");
}
