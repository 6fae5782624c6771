//! The house's own disk and database fail: nothing is lost, nothing goes twice, and all goes on by
//! itself once they work again, or stops where only a backup helps.

mod broken;
mod busy;
mod commits;
mod full;
mod outcome;
