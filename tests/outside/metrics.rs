//! Prometheus' own library for Python reads what `/metrics` answers.

use std::fs;

use super::tools;
use crate::monitor::{House, body};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python"]
async fn prometheus_reads_every_metric() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::start(folder.path(), |_| {}).await;
    kuori::telemetry::meters::STEP_SECONDS.took(&["open"], std::time::Duration::from_secs(7));
    let metrics = house.get("/metrics").await;
    house.end().await;
    let file = folder.path().join("metrics");
    fs::write(&file, body(&metrics)).unwrap();
    let said = tools::python("read_metrics.py", [&file]);
    // The parser leaves `_total` to the samples.
    for line in [
        "kuori_store_up gauge 1",
        "kuori_build_info gauge 1",
        "kuori_step_seconds histogram",
    ] {
        assert!(said.contains(line), "no `{line}` in {said}");
    }
}
