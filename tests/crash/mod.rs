//! The real program, killed and started again: nothing is lost, nothing goes twice.
//!
//! `moments` kills it at random moments; `matrix` at the points that `kuori::crash_points` names,
//! in the day of one house that `day` plays.
//!
//! - `cargo test crash` kills it at a dozen points drawn by a seed.
//! - `cargo test --test kuori crash::matrix -- --ignored --nocapture` kills it at each point there
//!   is, at drawn ones, and twice in a row, and prints what it did.
//! - `KUORI_CRASH_PASSES=all` does so at three passes of each point and not at one that is drawn.
//! - `KUORI_CRASH_SEED=7` draws other ones; `KUORI_CRASH_ONLY='commit/record a plan'` leaves all
//!   others out.

mod bundles;
mod by_hand;
mod day;
mod ledger;
mod matrix;
mod moments;
mod not_passed;
mod outcome;
mod points;
mod props;
