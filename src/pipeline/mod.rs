//! The one room that puts the stages in order; one file a step.
//!
//! ```text
//! received ─acknowledge, open─► opened ─route─► routed ─deliver─► delivered ─compose─► composed ─report─► reported
//! ```
//!
//! Beside the steps, the sender is told what happens to messages afterwards (`delivery_report`), such as
//! that they are read (`read_marks`), and recipients that a message lies in their mailbox (`notify`).
//!
//! A step loads from the store, calls pure functions, writes files, then commits one transaction that
//! records the result and with it the next step. Every step can run twice: what it did before a crash
//! it finds done, or does again to the same effect.

mod acknowledge;
mod clock;
mod compose;
mod courier;
mod deliver;
mod delivery_report;
mod documents;
mod enqueue;
mod error;
mod findings;
mod forget;
mod gate;
mod house;
mod inquiry;
mod letter_pdf;
mod mailbox_audit;
mod notify;
mod open;
mod page_check;
mod paper_letter;
mod paper_queue;
mod plan;
mod read_marks;
mod receipt;
mod report;
mod route;
mod routed_pages;
mod runner;
mod service_events;
mod statuses;
mod stop;
mod timers;

pub use clock::Clock;
pub use courier::{Courier, SetAside, Settings as CourierSettings};
pub use error::Error;
pub use forget::{Forgotten, Retention, days_before, forget};
pub use house::{
    Gate, HoldPolicy, House, Landscape, PrintHouseSettings, PrintingService, SenderSettings, Shown,
};
pub use mailbox_audit::{Mailboxes, verify_mailboxes};
pub use notify::Notifier;
pub use page_check::PageCheck;
pub use read_marks::{Looked, ReadLooks, ReadSettings};
pub use route::foresee;
pub use runner::{Runner, Settings, Wake};
pub use service_events::{EventReader, EventsRead};
pub use timers::{Patience, fire_timers};
