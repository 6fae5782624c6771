//! Over a real socket, by a client that knows nothing but HTTP.

mod caller;
mod limits;
mod misdeeds;
mod state;

use caller::{Caller, electronic, settings};
