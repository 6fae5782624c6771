//! Writes numbers in the text format of Prometheus, version 0.0.4.

use std::fmt::{Display, Write};

use crate::telemetry::meters::{Counter, Family, Histogram, SECONDS};

/// What `/metrics` answers, as far as it is written.
#[derive(Default)]
pub(super) struct Exposition {
    text: String,
}

impl Exposition {
    /// What follows are numbers of this family.
    pub(super) fn family(&mut self, family: &Family) {
        let Family {
            name, kind, help, ..
        } = family;
        let kind = kind.as_str();
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// One number; `values` in the order of the family's labels.
    pub(super) fn number(&mut self, family: &Family, values: &[&str], number: impl Display) {
        let labels = labels(family.labels.iter().copied().zip(values.iter().copied()));
        let _ = writeln!(self.text, "{}{labels} {number}", family.name);
    }

    pub(super) fn counter(&mut self, counter: &Counter) {
        self.family(&counter.family);
        for (values, count) in counter.counts() {
            let values: Vec<_> = values.iter().map(String::as_str).collect();
            self.number(&counter.family, &values, count);
        }
    }

    pub(super) fn histogram(&mut self, histogram: &Histogram) {
        let family = &histogram.family;
        self.family(family);
        for (values, spread) in histogram.spreads() {
            let named = || {
                family
                    .labels
                    .iter()
                    .copied()
                    .zip(values.iter().map(String::as_str))
            };
            let bounds = SECONDS
                .iter()
                .map(f64::to_string)
                .chain(["+Inf".to_owned()]);
            let counts = spread.at_most.into_iter().chain([spread.count]);
            for (bound, count) in bounds.zip(counts) {
                let labels = labels(named().chain([("le", bound.as_str())]));
                let _ = writeln!(self.text, "{}_bucket{labels} {count}", family.name);
            }
            let labels = labels(named());
            let _ = writeln!(self.text, "{}_sum{labels} {}", family.name, spread.sum);
            let _ = writeln!(self.text, "{}_count{labels} {}", family.name, spread.count);
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// `{place="sender:city"}`, or nothing.
fn labels<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let told = labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
    let told: Vec<_> = told.collect();
    if told.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", told.join(","))
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::meters::Kind;

    #[test]
    fn a_label_cannot_break_out_of_its_quotes() {
        let family = Family {
            name: "kuori_test",
            kind: Kind::Gauge,
            labels: &["a", "b"],
            help: "A test.",
        };
        let mut told = Exposition::default();
        told.family(&family);
        told.number(&family, &["x", "\"\\\n"], 7);
        assert_eq!(
            told.into_text(),
            "# HELP kuori_test A test.\n# TYPE kuori_test gauge\nkuori_test{a=\"x\",b=\"\\\"\\\\\\n\"} 7\n"
        );
    }
}
