use std::fmt::Write;

use crate::telemetry::meters::{Family, SECONDS, families};

const INTRODUCTION: &str = "\
# Metrics

What `/metrics` tells Prometheus, where `[monitor]` of the settings says where to ask: see
[watching](operators-guide.md#watching). Counters begin at 0 with each start; gauges are read from the store,
at most every `refresh_secs`. Labels are words of Kuori and names of the settings: no number of a batch, no name
of a file, nothing of a person.

| name | type | labels | meaning |
| --- | --- | --- | --- |
";

/// What `docs/metrics.md` holds: every name with its labels and meaning, in Markdown.
pub fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    for Family {
        name,
        kind,
        labels,
        help,
    } in families()
    {
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        let (kind, labels) = (kind.as_str(), labels.join(", "));
        let _ = writeln!(text, "| `{name}` | {kind} | {labels} | {help} |");
    }
    let bounds: Vec<_> = SECONDS.iter().map(f64::to_string).collect();
    let _ = writeln!(
        text,
        "\nThe bounds of a histogram are {} seconds.",
        bounds.join(", ")
    );
    text
}
