//! Messages on their way to a mailbox service, and what becomes of them there.

mod asking;
mod batches;
mod consents;
mod crashes;
mod events;
mod kills;
mod mortal;
mod pace;
mod suspects;
mod timers;
mod town;
mod troubles;
mod weeks;
