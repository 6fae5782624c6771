//! Lines that break, servers that stop, disks that are full and clocks that lie, between the house
//! and folders elsewhere: a file is taken once or not at all, and what is half-written never counts.

mod cuts;
mod disks;
pub(crate) mod far_side;
mod hand_over_cuts;
mod peers;
mod restarts;
mod take_cuts;
mod upload_cuts;

pub(crate) use cuts::small_batch;
