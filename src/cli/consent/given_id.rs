use std::{convert::Infallible, str::FromStr};

use crate::{
    cli::{CommandError, Invocation},
    domain::{Private, RecipientId},
};

/// A recipient's id as it was typed. It is read as an id only later, so that the parser of the
/// command line never repeats it.
#[derive(Debug, Clone)]
pub(in crate::cli) struct GivenId(Private<String>);

impl FromStr for GivenId {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.into()))
    }
}

impl GivenId {
    pub(super) fn read(
        &self,
        invocation: &mut Invocation<'_>,
    ) -> Result<RecipientId, CommandError> {
        let mut line = self.0.expose().clone();
        if line == "-" {
            line.clear();
            let read = invocation.input.read_line(&mut line);
            read.map_err(|error| {
                CommandError::failed("cannot read the id from standard input")
                    .caused_by(error.to_string())
            })?;
        }
        line.trim().parse().map_err(|error| {
            CommandError::usage("the recipient's id cannot be used")
                .caused_by(format!("{error}"))
                .hint("a recipient is a personal identity code or a business id")
        })
    }
}
