//! Messages on their way to a mailbox service, and what becomes of them there.

mod timers;
