//! Messages on their way to a mailbox service, and what becomes of them there.

mod batches;
mod crashes;
mod consents;
mod events;
mod kills;
mod pace;
mod timers;
mod town;
mod troubles;
