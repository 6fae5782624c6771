//! The server as it stands on the internet: clients that mean harm, before and after they log in.
//!
//! Nothing here knows how the server is built. What must hold: a request is answered or its
//! session ends, nothing outside an account's home is read, named or changed, nothing grows
//! without bound, and a good client beside the bad ones is served in bounded time.

mod bytes;
mod canary;
mod channels;
mod crowd;
mod escapes;
mod greed;
mod packets;
mod panics;
mod sequences;
mod ssh;
mod strangers;
mod swaps;
mod tries;
mod wire;
