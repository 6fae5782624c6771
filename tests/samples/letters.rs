//! Batches in which a letter's own description is at fault.

use kuori::domain::Code;

use super::{
    catalogue::{Sample, Stops},
    parts::*,
};

pub(super) fn samples() -> Vec<Sample> {
    let letter = Sample::that_stops(Stops::Letter);
    let batch = Sample::that_stops(Stops::Batch);
    vec![
        letter(
            Code::ControlDataValue,
            "by-fax.zip",
            "The second letter's `channel` is `fax`.",
            || second_row(|row| row.channel = "fax"),
        ),
        letter(
            Code::FieldTooLong,
            "subject.zip",
            "The second letter's `subject` has 513 characters.",
            || second_row(|row| row.subject = "Päätös ".repeat(80).chars().take(513).collect()),
        ),
        letter(
            Code::DocumentMissing,
            "no-such-pdf.zip",
            "The second letter's PDF is not in the ZIP.",
            document_missing,
        ),
        batch(
            Code::DocumentMissing,
            "no-pdf-at-all.zip",
            "The XML names `kirjeet.pdf`, and the ZIP has no PDF.",
            || zip(&bundle_files(bundle(&[(1, 1), (2, 1)]), 2)[..1]),
        ),
        letter(
            Code::PageRangeMissing,
            "half-a-range.zip",
            "The second letter has a `start_page` and no `pages`.",
            || second_row(|row| row.start_page = "1"),
        ),
        letter(
            Code::PageRangeOutside,
            "second-of-one.zip",
            "The second letter claims two pages, and its PDF has one.",
            || second_row(|row| (row.start_page, row.pages) = ("1", "2")),
        ),
        batch(
            Code::PageRangeOverlap,
            "page-2-twice.zip",
            "Both letters claim page 2.",
            || zip(&bundle_files(bundle(&[(1, 2), (2, 1)]), 2)),
        ),
        batch(
            Code::PageRangeGap,
            "page-2-of-nobody.zip",
            "Pages 1 and 3 have a letter each, page 2 has none.",
            || zip(&bundle_files(bundle(&[(1, 1), (3, 1)]), 3)),
        ),
        letter(
            Code::MessageDuplicate,
            "one-id-twice.zip",
            "Both letters have the `letter_id` of the first.",
            || second_row(|second| second.letter_id = row(1).letter_id),
        ),
    ]
}

pub(super) fn second_row(change: impl FnOnce(&mut Row)) -> Vec<u8> {
    let mut second = row(2);
    change(&mut second);
    second_letter(second, letter_pdf(2))
}

fn document_missing() -> Vec<u8> {
    zip(&csv_files(table(&[row(1), row(2)]))[..2])
}
