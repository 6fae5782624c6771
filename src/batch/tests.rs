//! The room as its callers see it: whole batches in, messages and findings out.

mod archives;
mod batches;
mod build;
mod entry_contents;
mod entry_names;
mod forge;
mod hostile;
mod letter_checks;
mod limits;
mod rules;
mod second_readings;
mod shelves;
