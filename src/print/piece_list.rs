use std::io::Write;

use csv::{Terminator, WriterBuilder};

use super::{BundlePlan, Error, PlannedPiece};

const COLUMNS: [&str; 15] = [
    "sequence",
    "piece",
    "first_page",
    "pages",
    "sheets",
    "envelope",
    "postage",
    "weight_grams",
    "postal_code",
    "country",
    "colour",
    "duplex",
    "registered",
    "postage_code",
    "messages",
];

/// Writes the piece list: one row a piece, in the order of the PDF (`schemas/piece-list.csvw.json`).
///
/// Comma-separated by RFC 4180. It holds no name, no street and no identity code.
pub fn write_piece_list<W: Write>(plan: &BundlePlan, out: W) -> Result<(), Error> {
    let mut list = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(out);
    let written = list.write_record(COLUMNS).and_then(|()| {
        plan.pieces
            .iter()
            .try_for_each(|piece| list.write_record(row(piece)))
    });
    written.map_err(|error| Error::PieceList(error.into()))?;
    list.flush().map_err(Error::PieceList)
}

fn row(piece: &PlannedPiece) -> [String; 15] {
    let letter = &piece.letter;
    let postage_code = piece.postage_code.as_ref();
    let messages = piece.letters().map(|letter| letter.message.to_string());
    let messages: Vec<_> = messages.collect();
    [
        piece.sequence.to_string(),
        letter.message.to_string(),
        piece.first_page.to_string(),
        piece.pages.to_string(),
        piece.sheets.to_string(),
        piece.envelope.0.clone(),
        letter.postage.as_str().to_owned(),
        piece.weight_grams.to_string(),
        postal_code(piece),
        letter.address.country_or_home().to_string(),
        letter.colour.to_string(),
        letter.duplex.to_string(),
        letter.registered.to_string(),
        postage_code.map_or_else(String::new, |code| code.0.clone()),
        messages.join(" "),
    ]
}

/// Foreign codes come in any form. Only what codes are made of is kept, so that a sender cannot
/// put a spreadsheet formula, or a name, into this column.
fn postal_code(piece: &PlannedPiece) -> String {
    const LONGEST: usize = 10;
    let code = piece.letter.address.postal_code.as_ref();
    let kept = |c: &char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-');
    let code = code.map_or("", |code| code.expose().trim_start_matches('-'));
    code.chars().filter(kept).take(LONGEST).collect()
}
