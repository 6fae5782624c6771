use std::{io::BufRead, path::Path};

use jiff::Timestamp;

use super::{CommandError, Options, Output, Renderer};
use crate::{
    domain::without_identity_codes,
    store::{NewEvent, Store},
};

/// One call of the program: what it was told, whom it speaks to, when, and who called.
pub(super) struct Invocation<'a> {
    pub(super) options: &'a Options,
    pub(super) output: Output<'a>,
    /// Standard input.
    pub(super) input: &'a mut dyn BufRead,
    pub(super) now: Timestamp,
    /// Who is named in the history for what this call changes.
    pub(super) actor: String,
    pub(super) renderer: Renderer,
}

impl Invocation<'_> {
    /// What is noted with a deed that this call carries out. Its reason is shown to others, and may be
    /// told to the sender: an identity code in it is not kept.
    pub(super) fn action(&self, why: &str) -> NewEvent {
        NewEvent {
            at: self.now,
            actor: self.actor.clone(),
            why: without_identity_codes(why).into_owned(),
        }
    }

    /// The data folder, which must be there: a slip in its name must not make an empty one that
    /// has no batches.
    pub(super) fn store(&self) -> Result<Store, CommandError> {
        Self::store_in(&self.options.data_dir())
    }

    /// As [`Invocation::store`], for the data folder that settings name.
    pub(super) fn store_in(folder: &Path) -> Result<Store, CommandError> {
        if !folder.join("kuori.sqlite").exists() {
            return Err(Self::no_data_folder(folder));
        }
        Ok(Store::open(folder)?)
    }

    pub(super) fn no_data_folder(folder: &Path) -> CommandError {
        let error = format!("there is no data folder `{}`", folder.display());
        CommandError::failed(error)
            .hint("name it with `--data-dir`, or set `KUORI_DATA`")
            .hint("`kuori run` makes a new one")
    }

    /// The data folder; where there is none, a new one. For what is set up before the first run.
    pub(super) fn store_or_new(&mut self) -> Result<Store, CommandError> {
        let folder = self.options.data_dir();
        let is_new = !folder.join("kuori.sqlite").exists();
        let store = Store::open(&folder)?;
        if is_new {
            self.output
                .note(format!("made a new data folder, `{}`", folder.display()));
        }
        Ok(store)
    }
}
