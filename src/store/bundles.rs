use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params, params};

use super::{
    Error, MessageRow, NewOutgoing, Store, Transaction,
    columns::{Columns, Word, millis},
    error::Doing,
    events, findings, message_events, messages, outgoing, reprocess,
};
use crate::domain::{
    BatchId, BundleId, BundleState, EnvelopeName, Finding, MessageEvent, MessageId, PostageClass,
    PostageCode, PrintHouseId,
};

/// What all letters of a bundle have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleGroup {
    pub postage: PostageClass,
    /// `None` where the print house has no postage table.
    pub postage_code: Option<PostageCode>,
    pub registered: bool,
    pub colour: bool,
    pub duplex: bool,
    pub envelope: EnvelopeName,
    pub foreign: bool,
}

/// A bundle as the plan wants it.
#[derive(Debug, Clone)]
pub struct NewBundle {
    pub print_house: PrintHouseId,
    pub group: BundleGroup,
    /// In the order of the PDF.
    pub pieces: Vec<NewPiece>,
}

/// A letter in its piece. Letters of one sequence share an envelope.
#[derive(Debug, Clone, Copy)]
pub struct NewPiece {
    /// The message's position in the batch; grows inside an envelope.
    pub position: u32,
    /// 1-based in the bundle.
    pub sequence: u32,
    /// 1-based page of the bundle's PDF.
    pub first_page: u32,
    /// Of this letter, an address page in front of it counted.
    pub pages: u32,
    pub sheets: u32,
}

/// A bundle as it stands in the store.
#[derive(Debug, Clone)]
pub struct BundleRow {
    pub id: BundleId,
    pub batch: BatchId,
    pub print_house: PrintHouseId,
    pub state: BundleState,
    pub planned_at: Timestamp,
    pub composed_at: Option<Timestamp>,
    pub handed_over_at: Option<Timestamp>,
    /// When it was first seen that the print house had taken it away.
    pub picked_up_at: Option<Timestamp>,
    /// From then on it has been waiting to be picked up for too long; `None` where it does not wait.
    pub overdue_at: Option<Timestamp>,
    /// Why its hand-over waits for an operator, where it does.
    pub held: Option<String>,
    pub group: BundleGroup,
    /// Envelopes.
    pub pieces: u32,
    pub letters: u32,
    pub pages: u32,
    pub sheets: u32,
}

/// A letter in its piece of a bundle, for the operator's eye. Letters of one sequence share an
/// envelope.
#[derive(Debug, Clone, Copy)]
pub struct PieceRow {
    pub message: MessageId,
    pub sequence: u32,
    pub first_page: u32,
    pub pages: u32,
    pub sheets: u32,
}

/// Bundles with how their hand-overs stand.
const SELECT: &str = "SELECT b.*, o.picked_up_at, o.overdue_at,
        CASE WHEN o.held_at IS NOT NULL THEN COALESCE(o.last_error, '') END AS held
     FROM bundles b LEFT JOIN outgoing o ON o.bundle = b.id";

impl Store {
    /// Records a plan: bundles with their pieces, and for each message the bundle it is in.
    ///
    /// From here on the order inside a bundle is fixed; composing again gives the same pieces.
    pub fn record_plan(
        &self,
        batch: BatchId,
        plan: impl IntoIterator<Item = NewBundle>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write("record a plan", |tx| {
            for bundle in plan {
                let id = insert(tx, batch, &bundle, now)?;
                insert_pieces(tx, batch, id, &bundle.pieces)?;
            }
            Ok(())
        })
    }

    pub fn bundle(&self, id: BundleId) -> Result<BundleRow, Error> {
        self.read(|db| {
            let sql = format!("{SELECT} WHERE b.id = ?");
            let row = db
                .query_row(&sql, [id.0], bundle_row)
                .optional()
                .doing("read a bundle")?;
            row.ok_or(Error::NoBundle(id))
        })
    }

    /// The bundles of one batch, or the newest of all where `batch` is `None`.
    pub fn bundles(&self, batch: Option<BatchId>, limit: u32) -> Result<Vec<BundleRow>, Error> {
        self.read(|db| {
            let sql =
                format!("{SELECT} WHERE ?1 IS NULL OR b.batch = ?1 ORDER BY b.id DESC LIMIT ?2");
            let mut query = db.prepare_cached(&sql).doing("list bundles")?;
            let given = params![batch.map(|id| id.0), limit];
            let rows = query.query_map(given, bundle_row).doing("list bundles")?;
            rows.collect::<Result<_, _>>().doing("list bundles")
        })
    }

    /// Bundles whose files are still to be made, oldest first.
    pub fn planned_bundles(&self, batch: BatchId) -> Result<Vec<BundleRow>, Error> {
        self.read(|db| {
            let sql = format!("{SELECT} WHERE b.batch = ? AND b.state = 'planned' ORDER BY b.id");
            let mut query = db.prepare_cached(&sql).doing("list planned bundles")?;
            let rows = query
                .query_map([batch.0], bundle_row)
                .doing("list planned bundles")?;
            rows.collect::<Result<_, _>>().doing("list planned bundles")
        })
    }

    /// The messages of a bundle in the order of its PDF.
    pub fn bundle_messages(&self, bundle: BundleId) -> Result<Vec<MessageRow>, Error> {
        let sql = messages::select_from(
            "pieces p JOIN messages m ON m.batch = p.batch AND m.position = p.position
              WHERE p.bundle = ? ORDER BY p.sequence, p.position",
        );
        self.read(|db| {
            let mut query = db.prepare_cached(&sql).doing("list a bundle's messages")?;
            let rows = query.query_map([bundle.0], messages::message_row);
            rows.doing("list a bundle's messages")?
                .collect::<Result<_, _>>()
                .doing("list a bundle's messages")
        })
    }

    /// The pieces of a bundle, a row a letter, in the order of its PDF.
    pub fn pieces(&self, bundle: BundleId) -> Result<Vec<PieceRow>, Error> {
        self.read(|db| {
            let sql = "SELECT * FROM pieces WHERE bundle = ? ORDER BY sequence, position";
            let mut query = db.prepare_cached(sql).doing("list pieces")?;
            let rows = query
                .query_map([bundle.0], piece_row)
                .doing("list pieces")?;
            rows.collect::<Result<_, _>>().doing("list pieces")
        })
    }

    /// Messages whose letters lie in the same envelope as this one's, in their order; empty where it
    /// has one to itself, or none yet.
    pub fn messages_beside(&self, message: &MessageRow) -> Result<Vec<MessageId>, Error> {
        let (Some(bundle), Some(sequence)) = (message.bundle, message.sequence) else {
            return Ok(Vec::new());
        };
        let doing = "list the messages of an envelope";
        let sql = "SELECT batch, position FROM pieces
             WHERE bundle = ?1 AND sequence = ?2 AND position <> ?3 ORDER BY position";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let given = params![bundle.0, sequence, message.id.position];
            let rows = query.query_map(given, reprocess::message_id).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// Records that a bundle's files stand in the spool, and what is to be handed over.
    pub fn record_composed(
        &self,
        bundle: &BundleRow,
        outgoing: &NewOutgoing,
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "record a composed bundle";
        let compose = "UPDATE bundles SET state = 'composed', composed_at = ?2
             WHERE id = ?1 AND state = 'planned'";
        let advance = "UPDATE messages SET state = 'composed'
             WHERE bundle = ?1 AND state IN ('routed', 'delivered')";
        self.write(doing, |tx| {
            let composed = tx
                .execute(compose, params![bundle.id.0, millis(now)])
                .doing(doing)?;
            if composed == 1 {
                tx.execute(advance, [bundle.id.0]).doing(doing)?;
                let what = MessageEvent::Composed;
                message_events::note_bundle(tx, bundle.batch, bundle.id, what, now)?;
                outgoing::insert(tx, outgoing, now)?;
                events::note(
                    tx,
                    now,
                    bundle.batch,
                    None,
                    &format!("composed {}", bundle.id),
                )?;
            }
            Ok(())
        })
    }

    /// Gives up a planned bundle: its letters are free to be planned again.
    pub fn give_up_plan(&self, bundle: &BundleRow) -> Result<(), Error> {
        self.write("give up a plan", |tx| withdraw(tx, bundle.id))
    }

    /// Gives up a planned bundle because one letter cannot be composed: that letter is held with
    /// the reason, the others are free to be planned again.
    pub fn hold_letter_of(
        &self,
        bundle: &BundleRow,
        letter: MessageId,
        finding: &Finding,
    ) -> Result<(), Error> {
        let hold = "UPDATE messages SET state = 'held' WHERE batch = ?1 AND position = ?2";
        self.write("hold a letter", |tx| {
            withdraw(tx, bundle.id)?;
            tx.execute(hold, params![letter.batch.0, letter.position])
                .doing("hold a letter")?;
            findings::insert(tx, letter.batch, std::slice::from_ref(finding))
        })
    }
}

/// Takes a bundle back before hand-over: its messages are where they were before the plan.
pub(super) fn withdraw(tx: &Transaction<'_>, bundle: BundleId) -> Result<(), Error> {
    let doing = "withdraw a bundle";
    let free = "UPDATE messages SET bundle = NULL,
            state = CASE WHEN state <> 'composed' THEN state
                         WHEN channel = 'mailbox-and-print' THEN 'delivered' ELSE 'routed' END
         WHERE bundle = ?";
    tx.execute(free, [bundle.0]).doing(doing)?;
    tx.execute(
        "UPDATE bundles SET state = 'withdrawn' WHERE id = ?",
        [bundle.0],
    )
    .doing(doing)?;
    // What was written of it before a try failed stands at its place, without a marker: the outbox
    // comes once more, to remove it.
    let recall = "UPDATE outgoing SET state = 'withdrawn', held_at = NULL, held_for = NULL,
            lease_until = NULL, attempts = 0, last_error = NULL,
            due_at = CASE WHEN begun_at IS NULL THEN NULL ELSE COALESCE(due_at, held_at) END
         WHERE bundle = ?";
    tx.execute(recall, [bundle.0]).doing(doing)?;
    Ok(())
}

fn insert(
    tx: &Transaction<'_>,
    batch: BatchId,
    bundle: &NewBundle,
    now: Timestamp,
) -> Result<BundleId, Error> {
    let sql = "INSERT INTO bundles (batch, print_house, state, planned_at, postage, postage_code,
            registered, colour, duplex, envelope, foreign_post, pieces, letters, pages, sheets)
         VALUES (:batch, :print_house, 'planned', :now, :postage, :postage_code, :registered,
            :colour, :duplex, :envelope, :foreign, :pieces, :letters, :pages, :sheets)
         RETURNING id";
    let BundleGroup {
        postage,
        postage_code,
        registered,
        colour,
        duplex,
        envelope,
        foreign,
    } = &bundle.group;
    let given = named_params! {
        ":batch": batch.0,
        ":print_house": bundle.print_house.as_str(),
        ":now": millis(now),
        ":postage": postage.word(),
        ":postage_code": postage_code.as_ref().map(|code| &code.0),
        ":registered": registered,
        ":colour": colour,
        ":duplex": duplex,
        ":envelope": envelope.0,
        ":foreign": foreign,
        ":pieces": bundle.pieces.last().map_or(0, |last| last.sequence),
        ":letters": bundle.pieces.len() as u64,
        ":pages": bundle.pieces.iter().map(|piece| u64::from(piece.pages)).sum::<u64>(),
        ":sheets": bundle.pieces.iter().map(|piece| u64::from(piece.sheets)).sum::<u64>(),
    };
    tx.query_row(sql, given, |row| Ok(BundleId(row.get(0)?)))
        .doing("record a bundle")
}

fn insert_pieces(
    tx: &Transaction<'_>,
    batch: BatchId,
    bundle: BundleId,
    pieces: &[NewPiece],
) -> Result<(), Error> {
    let doing = "record a piece";
    let insert = "INSERT INTO pieces (bundle, sequence, batch, position, first_page, pages, sheets)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let mut insert = tx.prepare_cached(insert).doing(doing)?;
    let claim = "UPDATE messages SET bundle = ?3 WHERE batch = ?1 AND position = ?2";
    let mut claim = tx.prepare_cached(claim).doing(doing)?;
    for piece in pieces {
        let NewPiece {
            position,
            sequence,
            first_page,
            pages,
            sheets,
        } = piece;
        let given = params![
            bundle.0, sequence, batch.0, position, first_page, pages, sheets
        ];
        insert.execute(given).doing(doing)?;
        claim
            .execute(params![batch.0, position, bundle.0])
            .doing(doing)?;
    }
    Ok(())
}

fn bundle_row(row: &Row<'_>) -> rusqlite::Result<BundleRow> {
    Ok(BundleRow {
        id: BundleId(row.get("id")?),
        batch: row.batch("batch")?,
        print_house: row.parsed("print_house")?,
        state: row.word("state")?,
        planned_at: row.time("planned_at")?,
        composed_at: row.maybe_time("composed_at")?,
        handed_over_at: row.maybe_time("handed_over_at")?,
        picked_up_at: row.maybe_time("picked_up_at")?,
        overdue_at: row.maybe_time("overdue_at")?,
        held: row.get("held")?,
        group: BundleGroup {
            postage: row.word("postage")?,
            postage_code: row.get::<_, Option<_>>("postage_code")?.map(PostageCode),
            registered: row.get("registered")?,
            colour: row.get("colour")?,
            duplex: row.get("duplex")?,
            envelope: EnvelopeName(row.get("envelope")?),
            foreign: row.get("foreign_post")?,
        },
        pieces: row.get("pieces")?,
        letters: row.get("letters")?,
        pages: row.get("pages")?,
        sheets: row.get("sheets")?,
    })
}

fn piece_row(row: &Row<'_>) -> rusqlite::Result<PieceRow> {
    Ok(PieceRow {
        message: MessageId {
            batch: row.batch("batch")?,
            position: row.get("position")?,
        },
        sequence: row.get("sequence")?,
        first_page: row.get("first_page")?,
        pages: row.get("pages")?,
        sheets: row.get("sheets")?,
    })
}
