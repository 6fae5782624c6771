use crate::domain::{BatchId, without_identity_codes};

/// Which receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The file is safely stored.
    Acknowledgement,
    /// Every message is routed, refused or waiting.
    Processing,
    /// Something has happened to messages since the last one.
    Delivery,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledgement => "acknowledgement",
            Self::Processing => "processing",
            Self::Delivery => "delivery",
        }
    }
}

/// How a receipt is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Format {
    #[default]
    Xml,
    Csv,
    Json,
}

impl Format {
    /// The end of a file name, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// What the name of a receipt's signature ends in, behind the receipt's own name.
pub const SIGNATURE_ENDING: &str = ".sig";

/// Room for the stem in a file name: with the rest it stays well under the 255 bytes that file
/// systems allow.
const MAX_STEM_CHARS: usize = 100;

/// The name of a receipt in the sender's `receipts/`: `<stem>.<batch>.<kind>.<extension>`, and
/// `<kind>-2` and so on for a later one of the same kind, so that none replaces another.
///
/// The stem is the sender's own, so that the receipt lies beside its batch when sorted. Characters
/// that a shell, a path or a protocol could take for something else become `_`, and an identity
/// code `_hidden_`.
pub fn file_name(
    batch_file_stem: &str,
    batch: BatchId,
    kind: Kind,
    revision: u32,
    format: Format,
) -> String {
    let stem = safe_stem(batch_file_stem);
    let (kind, extension) = (kind.as_str(), format.extension());
    if revision > 1 {
        format!("{stem}.{batch}.{kind}-{revision}.{extension}")
    } else {
        format!("{stem}.{batch}.{kind}.{extension}")
    }
}

fn safe_stem(given: &str) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '_'
        }
    };
    let stem: String = without_identity_codes(given)
        .chars()
        .map(safe)
        .take(MAX_STEM_CHARS)
        .collect();
    // A leading dot would hide the receipt; a leading hyphen reads as an option.
    let stem = stem.trim_matches(['.', '-']);
    if stem.is_empty() { "batch" } else { stem }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(stem: &str) -> String {
        file_name(stem, BatchId(7), Kind::Processing, 1, Format::Xml)
    }

    #[test]
    fn a_receipt_is_named_after_its_batch_file() {
        assert_eq!(
            name("koha_20260612205000_Posti"),
            "koha_20260612205000_Posti.B-0007.processing.xml"
        );
    }

    #[test]
    fn a_later_receipt_has_a_name_of_its_own() {
        let second = file_name("koha", BatchId(7), Kind::Processing, 2, Format::Xml);
        assert_eq!(second, "koha.B-0007.processing-2.xml");
    }

    #[test]
    fn an_identity_code_in_the_stem_is_masked() {
        assert_eq!(
            name("päätös_131052-9085"),
            "p__t_s__hidden_.B-0007.processing.xml"
        );
    }

    #[test]
    fn a_hostile_stem_stays_one_harmless_file_name() {
        assert_eq!(
            name("../../etc/cron d"),
            "_.._etc_cron_d.B-0007.processing.xml"
        );
        assert_eq!(name("-rf\n\0"), "rf__.B-0007.processing.xml");
        assert_eq!(name("päätös"), "p__t_s.B-0007.processing.xml");
        assert_eq!(name("..."), "batch.B-0007.processing.xml");
    }

    #[test]
    fn a_stem_is_cut_one_past_its_limit() {
        let kept = |chars: usize| name(&"a".repeat(chars)).split('.').next().map(str::len);
        assert_eq!(kept(100), Some(100));
        assert_eq!(kept(101), Some(100));
    }
}
