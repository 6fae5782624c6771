//! Small batches that a person can open, valid and invalid, and what becomes of each.
//!
//! Every finding code has a committed batch that provokes it and nothing else, or stands in
//! [`built`] with the reason why it has none.

mod archive;
mod built;
mod catalogue;
mod control_data;
mod documents;
mod font;
mod invalid;
mod letters;
mod pages;
mod parts;
mod recipients;
mod schemas;
mod valid;
