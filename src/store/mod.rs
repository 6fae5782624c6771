//! SQLite rows and the spooled files that they point to.
//!
//! Comes in: domain values, one transaction a call. Goes out: rows in pages, files by key. The only
//! room that knows SQL and the only one that writes the spool. Beside it, [`Scratch`] keeps what
//! one command needs, in files without a name. It does not know what a step does with a row, nor
//! any file format.
//!
//! Order of effects: a file is written, synced and renamed before the row that names it commits; a
//! row is committed away before its file is removed. So a row never points to a missing file, and a
//! file without a row is swept at the next start.

mod account_changes;
mod accounts;
mod alerts;
mod arrivals;
mod audit;
mod backup;
mod batch_holds;
mod batch_list;
mod batches;
mod bundles;
mod cancel;
mod clock;
mod columns;
mod consent_entries;
mod consent_export;
mod consent_feeds;
mod consent_files;
mod consent_history;
mod consent_lists;
mod consents;
mod counts;
mod database;
mod decisions;
mod delivery_reports;
mod error;
mod events;
mod findings;
mod gate;
mod hand_overs;
mod held_back;
mod history;
mod holds;
mod inbox_looks;
mod known_files;
mod letter_ids;
mod lifecycle_guard;
mod line;
mod mailbox_queue;
mod mailbox_services;
mod matter_addresses;
mod message_deeds;
mod message_events;
mod message_rows;
mod messages;
mod notice_addresses;
mod notice_server;
mod notices;
mod outgoing;
mod pickups;
mod places;
mod purge;
mod queue_moves;
mod queue_outcomes;
mod queue_refusals;
mod queue_turns;
mod read_marks;
mod reprocess;
mod restored;
mod scratch;
mod selection;
mod senders;
mod service_events;
mod spool;
mod starts;
mod status;
mod steps;
mod sweep;
mod timers;
mod verify;
mod waiting;
mod writer;

pub use account_changes::{AccountChange, AccountPlan};
pub use accounts::{
    AccountKey, AccountKeyLine, AccountLogin, AccountOfSettings, AccountRole, AccountRow,
    AccountVisit,
};
pub use alerts::{Alert, NewAlert, Telling};
pub use arrivals::{Arrival, ArrivalState, InHand};
pub use audit::{AuditBreak, AuditCheck, AuditFilter, AuditHead, AuditRow};
pub use backup::{
    BackupFacts, BackupMade, BackupWish, Mended, dated_backups, restore, verify as verify_backup,
};
pub use batch_holds::{BatchHolding, BatchRelease, CannotHold, CannotRelease};
pub use batch_list::BatchFilter;
pub use batches::{BatchRow, NewBatch, OpenOutcome, Received, StepOutcome};
pub use bundles::{BundleGroup, BundleRow, NewBundle, NewPiece, PieceRow};
pub use cancel::{CancelPlan, CannotCancel, Extent};
pub use consent_entries::{ConsentEntry, ConsentsTaken, MatterWish, NoticeWish};
pub use consent_feeds::{ConsentFeed, ConsentFeedFound, ConsentFeedLook};
pub use consent_files::TakenConsents;
pub use consent_history::{Consent, ConsentWord, PrintOnlyMatter, Said, SaidConsent, SourceCount};
pub use consent_lists::{FullList, FullListTold, FullListWish, ListFault};
pub use consents::{ConsentChange, ConsentStatus, Heard};
pub use counts::Counts;
pub use database::Store;
pub use decisions::Routed;
pub use delivery_reports::DeliveryReportRow;
pub use error::{Error, lacks_room};
pub use events::{Event, NewEvent};
pub use gate::{GateFacts, NewHold};
pub use history::Subject;
pub use holds::{Approval, CannotApprove, Hold};
pub use inbox_looks::{FileWait, InboxLook, WaitingFile};
pub use known_files::{KnownFile, SeenFile};
pub use mailbox_queue::{Door, NewQueued, QueuedRow};
pub use mailbox_services::{QueueNumbers, QueuedBatch, ServiceInSettings, ServiceState};
pub use message_deeds::{CannotMove, MessageDeed, MessageMove, MessagePlan};
pub use message_events::{MessageEventRow, MessageHistory};
pub use message_rows::MessageRow;
pub use messages::NewMessage;
pub use notice_addresses::NoticeAddress;
pub use notice_server::NoticeServer;
pub use notices::{DueNotice, NoticeId, NoticeOutcome, NoticeQueue};
pub use outgoing::{
    NewOutgoing, Outgoing, OutgoingFile, OutgoingKind, OutgoingState, Place, Standing,
};
pub use pickups::{Await, Overdue};
pub use places::{PlaceTrouble, Trouble};
pub use purge::{BatchPurge, Erasure, Kept, PurgeRule};
pub use queue_moves::{CannotMoveQueue, QueueMove};
pub use queue_outcomes::{Arrived, SentPost, SentRow};
pub use queue_refusals::Refusals;
pub use queue_turns::{PutBack, QueueTurn, Uploaded};
pub use read_marks::{AwaitedRead, ReadMarks};
pub use reprocess::{
    Again, Blocked, Foresee, Move, Moved, Reprocess, ReprocessPlan, Reprocessing, Selection, Way,
};
pub use restored::{DoubtfulBatch, DoubtfulBundle, Doubts, PrintedNoted};
pub use scratch::{Scratch, ScratchBytes};
pub use selection::MessageFilter;
pub use senders::{Release, SenderHold, SenderHolding, SenderRow};
pub use service_events::{
    EventBecame, EventTally, NewServiceEvent, NewServiceEvents, ServiceEventKind, ServiceFeed,
};
pub use spool::{MappedFile, NewSpoolFile, Spool, SpoolKey, SpooledFile};
pub use starts::Start;
pub use status::{
    BatchNote, Day, HeldBy, HouseStatus, InState, InboxFiles, LISTED, OldestHandOver, PlaceQueue,
    Queue, SenderBatches, SenderMessages, SenderOnHold, SenderReports,
};
pub use steps::{Claim, StepsWaiting};
pub use timers::{
    DueTimers, FiredTimer, FiredTimers, TimerEnd, TimerFilter, TimerNumbers, TimerRow, TimerRule,
};
pub use verify::{Problem, Verification, Verified, VerifyProgress};
pub use waiting::{OutgoingRetry, Waiting, WaitingFilter};
#[cfg(any(test, debug_assertions))]
pub use writer::Fault;

use writer::Transaction;
