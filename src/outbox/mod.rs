//! Hands over what is due: receipts to senders, bundles to print houses; and looks what of it the
//! other side has taken away.
//!
//! Comes in: a row with its files, and the folder of the place it goes to. Goes out: the files under
//! their final names, the marker last. It does not know what a receipt or a bundle says.
//!
//! Several things are handed over at once, a bounded number to each place, so that one that is slow
//! holds up nobody else. One that is away is asked by a single row, with waits that grow; what no
//! wait can cure is held for an operator.
//!
//! A spooled file is compared with its row before it is sent. It is written under a temporary name,
//! read back, then renamed, and nothing is ever replaced. Before the marker an intent is recorded:
//! from then on the print house may take everything away at any moment, so files that are gone after
//! a crash mean success, and only the marker is sent again.

mod error;
mod hand_over;
mod lanes;
mod pickup;
mod removal;
mod settings;

pub use error::Error;
pub use hand_over::{Outbox, Places};
pub use lanes::{Bells, Clock};
pub use settings::{PickUp, PlaceSettings, Settings};

pub use crate::store::Await;
