//! The language that every other room speaks.
//!
//! Values only: nothing here reads a file, asks a clock, waits, or knows a file format.
//! What comes from outside is parsed once, at the edge, into one of these types; from then on
//! the type is the proof that it was checked.

mod address;
mod address_block;
mod address_characters;
mod back_off;
mod breach;
mod bundle;
mod country;
mod decision;
mod disposition;
mod email_address;
mod finding;
mod hold;
mod identity;
mod ids;
mod invariants;
mod language;
mod letter;
mod lifecycle;
mod mailbox_status;
mod masking;
mod matter;
mod message;
mod message_event;
mod outgoing;
mod print_facts;
mod private;

pub use address::{AddressGap, PostalAddress};
pub use address_block::{AddressBlock, BlockPart, MAX_ROW_CHARS, one_line};
pub use address_characters::is_printable;
pub use back_off::BackOff;
pub use breach::Breach;
pub use bundle::{BundleState, BundleSummary, EnvelopeName, Piece, PostageClass, PostageCode};
pub use country::{CountryCode, InvalidCountryCode};
pub use decision::{Asked, Channel, Decision, Fitness, Reason, Route};
pub use disposition::Disposition;
pub use email_address::{EmailAddress, InvalidEmailAddress};
pub use finding::{Affects, Code, Finding, Place, Severity, Words};
pub use hold::{DuplicateLetterIds, HoldCause};
pub use identity::{
    BusinessId, InvalidBusinessId, InvalidIdentityCode, OvtId, PersonalIdentityCode, RecipientId,
    StatedRecipient,
};
pub use ids::{BatchId, BundleId, InvalidId, MessageId, PrintHouseId, SenderId, ServiceName};
pub use invariants::{AtService, BatchFacts, Broken, BundleFacts, HandOverFacts, MessageFacts};
pub use language::Language;
pub use letter::{Letter, expected_sheets};
pub use lifecycle::{
    BatchState, By, Deed, IllegalBatchMove, IllegalMove, Lifecycle, Meaning, MessageState, Moves,
    Step, may_become,
};
pub use mailbox_status::MailboxStatus;
pub use masking::without_identity_codes;
pub use matter::{InvalidMatter, Matter};
pub use message::{
    Attachment, ChannelWish, DocumentName, Message, PageRange, Recipient, ServiceKind,
};
pub use message_event::MessageEvent;
pub use outgoing::OutgoingState;
pub use print_facts::PrintFacts;
pub use private::Private;
