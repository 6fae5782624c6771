pub(super) mod preview;

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    CommandError, Invocation,
    batch::show::HandOverLine,
    error::Outcome,
    table::{Table, or_dash},
    words::{BundleStateWord, Time, counted},
};
use crate::{
    domain::{BatchId, BundleId, BundleState},
    store::{BundleGroup, BundleRow, PieceRow, Store},
};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List bundles, the newest first
    List {
        /// Only those of one batch
        #[arg(long, value_name = "BATCH")]
        batch: Option<BatchId>,
        /// How many
        #[arg(long, value_name = "N", default_value_t = 20,
              value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
    /// Show a bundle with its pieces
    Show { bundle: BundleId },
    /// Draw the pages of a piece, with the windows and zones of the print house on them
    ///
    /// For each page a PNG such as `P-0031-12-1.png`: bundle, piece, page of the piece. Blue is the
    /// window for the recipient's address, orange the sender's, violet the mark; green is kept clear,
    /// and red is not. The pictures show the letter: keep them from others' eyes.
    Preview(preview::Arguments),
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match *command {
        Command::List { batch, limit } => {
            let store = invocation.store()?;
            let (rows, now) = (store.bundles(batch, limit)?, invocation.now);
            let bundles = rows.iter().map(|row| BundleLine::of(row, now));
            let bundles = bundles.collect();
            invocation.output.show(&BundleList { bundles })?;
        }
        Command::Show { bundle } => {
            let store = invocation.store()?;
            let row = store.bundle(bundle)?;
            let pieces = pieces(&store.pieces(bundle)?);
            let shown = BundleShown {
                group: group(&row.group),
                waits: waits(&store, &row)?,
                bundle: BundleLine::of(&row, invocation.now),
                pieces,
            };
            invocation.output.show(&shown)?;
            if shown.bundle.held.is_some() {
                let hint = format!("when the cause is gone, `kuori outbox retry {bundle}`");
                invocation.output.hint(hint);
            }
        }
        Command::Preview(ref arguments) => return preview::run(arguments, invocation),
    }
    Ok(Outcome::Done)
}

/// `kuori bundle list`: the newest bundles first.
#[derive(Serialize, JsonSchema)]
pub(super) struct BundleList {
    bundles: Vec<BundleLine>,
}

/// One PDF for the print house, with what belongs to it.
#[derive(Serialize, JsonSchema)]
pub(super) struct BundleLine {
    bundle: String,
    batch: String,
    print_house: String,
    state: BundleStateWord,
    /// Envelopes.
    pieces: u32,
    /// More than the envelopes where some share one.
    letters: u32,
    /// Of the PDF, blank backs and address pages counted.
    pages: u32,
    sheets: u32,
    planned_at: Time,
    composed_at: Option<Time>,
    handed_over_at: Option<Time>,
    /// When it was first seen that the print house had taken it away.
    picked_up_at: Option<Time>,
    /// It has waited too long to be picked up.
    is_overdue: bool,
    /// Why its hand-over waits for `kuori outbox retry`, where it does.
    held: Option<String>,
}

/// `kuori bundle show`: a bundle with its pieces.
#[derive(Serialize, JsonSchema)]
pub(super) struct BundleShown {
    #[serde(flatten)]
    bundle: BundleLine,
    /// How the hand-over stands, until it is done.
    waits: Option<HandOverLine>,
    group: Group,
    pieces: Vec<Piece>,
}

/// What all letters of the bundle have in common.
#[derive(Serialize, JsonSchema)]
struct Group {
    /// `priority` or `economy`.
    postage: &'static str,
    /// By weight, where the print house has a table for that.
    postage_code: Option<String>,
    registered: bool,
    colour: bool,
    duplex: bool,
    envelope: String,
    foreign: bool,
}

/// One envelope with its sheets.
#[derive(Serialize, JsonSchema)]
struct Piece {
    /// 1-based in the bundle.
    sequence: u32,
    /// Its first letter's, by which the print house knows the piece.
    message: String,
    /// All whose letters lie in this envelope, in their order.
    messages: Vec<String>,
    /// 1-based page of the bundle's PDF.
    first_page: u32,
    pages: u32,
    sheets: u32,
}

impl BundleLine {
    pub(super) fn is(&self, state: BundleState) -> bool {
        self.state.0 == state
    }

    fn handed_over(&self) -> String {
        match self.handed_over_at {
            None if self.held.is_some() => "held".to_owned(),
            at => or_dash(at),
        }
    }

    fn picked_up(&self) -> String {
        match self.picked_up_at {
            None if self.is_overdue => "overdue".to_owned(),
            at => or_dash(at),
        }
    }

    /// `P-0031 composed, 60 letters on 121 sheets, for example-print`; where some share an envelope,
    /// `60 letters in 58 envelopes on 121 sheets`.
    pub(super) fn sentence(&self) -> String {
        let state = self.state.to_string().replace('-', " ");
        let mut letters = counted(self.letters.into(), "letter", "letters");
        if self.pieces < self.letters {
            let envelopes = counted(self.pieces.into(), "envelope", "envelopes");
            letters = format!("{letters} in {envelopes}");
        }
        let sheets = counted(self.sheets.into(), "sheet", "sheets");
        let (bundle, print_house) = (&self.bundle, &self.print_house);
        format!("{bundle} {state}, {letters} on {sheets}, for {print_house}")
    }
}

impl BundleLine {
    pub(super) fn of(row: &BundleRow, now: Timestamp) -> Self {
        Self {
            picked_up_at: row.picked_up_at.map(Time),
            is_overdue: row.overdue_at.is_some_and(|at| at <= now),
            held: row.held.clone(),
            bundle: row.id.to_string(),
            batch: row.batch.to_string(),
            print_house: row.print_house.to_string(),
            state: BundleStateWord(row.state),
            pieces: row.pieces,
            letters: row.letters,
            pages: row.pages,
            sheets: row.sheets,
            planned_at: Time(row.planned_at),
            composed_at: row.composed_at.map(Time),
            handed_over_at: row.handed_over_at.map(Time),
        }
    }
}

/// `None` where nothing is to be done for its hand-over.
fn waits(store: &Store, row: &BundleRow) -> Result<Option<HandOverLine>, CommandError> {
    let outgoing = store.outgoing_of(row.batch)?.into_iter();
    let mut of_bundle = outgoing.filter(|it| it.bundle == Some(row.id));
    let waiting = of_bundle.find(|it| it.due_at.is_some() || it.held_at.is_some());
    Ok(waiting.map(HandOverLine::from))
}

impl Piece {
    /// `None` where there is no letter.
    fn of(letters: &[PieceRow]) -> Option<Self> {
        let first = letters.first()?;
        Some(Self {
            sequence: first.sequence,
            message: first.message.to_string(),
            messages: letters.iter().map(|row| row.message.to_string()).collect(),
            first_page: first.first_page,
            pages: letters.iter().map(|row| row.pages).sum(),
            sheets: letters.iter().map(|row| row.sheets).sum(),
        })
    }
}

/// One an envelope; `rows` has one a letter.
fn pieces(rows: &[PieceRow]) -> Vec<Piece> {
    let envelopes = rows.chunk_by(|a, b| a.sequence == b.sequence);
    envelopes.filter_map(Piece::of).collect()
}

fn group(group: &BundleGroup) -> Group {
    Group {
        postage: group.postage.as_str(),
        postage_code: group.postage_code.as_ref().map(|code| code.0.clone()),
        registered: group.registered,
        colour: group.colour,
        duplex: group.duplex,
        envelope: group.envelope.0.clone(),
        foreign: group.foreign,
    }
}

impl fmt::Display for BundleList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = [
            "BUNDLE",
            "BATCH",
            "PRINT HOUSE",
            "STATE",
            "LETTERS",
            "PAGES",
            "SHEETS",
            "HANDED OVER",
            "PICKED UP",
        ];
        let row = |line: &BundleLine| {
            [
                line.bundle.clone(),
                line.batch.clone(),
                line.print_house.clone(),
                line.state.to_string(),
                line.letters.to_string(),
                line.pages.to_string(),
                line.sheets.to_string(),
                line.handed_over(),
                line.picked_up(),
            ]
        };
        if self.bundles.is_empty() {
            return Ok(());
        }
        Table::new(heading, self.bundles.iter().map(row)).fmt(f)
    }
}

impl fmt::Display for BundleShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Bundle    {}", self.bundle.sentence())?;
        writeln!(f, "Batch     {}", self.bundle.batch)?;
        writeln!(f, "Post      {}", self.group)?;
        if let Some(at) = self.bundle.handed_over_at {
            writeln!(f, "Handed    {at}")?;
        }
        if self.bundle.picked_up_at.is_some() || self.bundle.is_overdue {
            writeln!(f, "Picked up {}", self.bundle.picked_up())?;
        }
        if let Some(waits) = &self.waits {
            writeln!(f, "Outgoing  {}", waits.sentence())?;
        }
        let row = |piece: &Piece| {
            [
                piece.sequence.to_string(),
                piece.messages.join(" "),
                piece.first_page.to_string(),
                piece.pages.to_string(),
                piece.sheets.to_string(),
            ]
        };
        let heading = ["PIECE", "MESSAGE", "FIRST PAGE", "PAGES", "SHEETS"];
        write!(f, "\n{}", Table::new(heading, self.pieces.iter().map(row)))
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = [
            (true, self.postage),
            (true, self.postage_code.as_deref().unwrap_or_default()),
            (self.registered, "registered"),
            (self.foreign, "abroad"),
            (self.colour, "in colour"),
            (self.duplex, "on both sides"),
        ];
        let said: Vec<_> = said
            .iter()
            .filter(|(is, it)| *is && !it.is_empty())
            .map(|(_, it)| *it)
            .collect();
        write!(f, "{}, envelope {}", said.join(", "), self.envelope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EnvelopeName, MessageId, PostageClass, PostageCode};

    fn row(position: u32, sequence: u32, first_page: u32) -> PieceRow {
        PieceRow {
            message: MessageId {
                batch: BatchId(7),
                position,
            },
            sequence,
            first_page,
            pages: 2,
            sheets: 1,
        }
    }

    #[test]
    fn a_shared_envelope_is_one_piece_with_all_its_messages() {
        let bundle = BundleRow {
            id: BundleId(31),
            batch: BatchId(7),
            print_house: "example-print".parse().unwrap(),
            state: BundleState::Composed,
            planned_at: Timestamp::UNIX_EPOCH,
            composed_at: None,
            handed_over_at: None,
            picked_up_at: None,
            overdue_at: None,
            held: None,
            group: BundleGroup {
                postage: PostageClass::Economy,
                postage_code: Some(PostageCode("E-50".to_owned())),
                registered: false,
                colour: false,
                duplex: true,
                envelope: EnvelopeName("C5".to_owned()),
                foreign: false,
            },
            pieces: 2,
            letters: 3,
            pages: 6,
            sheets: 3,
        };
        let shown = BundleShown {
            group: group(&bundle.group),
            waits: None,
            bundle: BundleLine::of(&bundle, Timestamp::UNIX_EPOCH),
            pieces: pieces(&[row(1, 1, 1), row(3, 1, 3), row(2, 2, 5)]),
        };
        insta::assert_snapshot!(shown, @r"
        Bundle    P-0031 composed, 3 letters in 2 envelopes on 3 sheets, for example-print
        Batch     B-0007
        Post      economy, E-50, on both sides, envelope C5

        PIECE  MESSAGE            FIRST PAGE  PAGES  SHEETS
            1  B-0007-1 B-0007-3           1      4       2
            2  B-0007-2                    5      2       1
        ");
    }
}
