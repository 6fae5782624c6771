//! Keys from files, and passwords from whoever sits there.

use std::{
    fs,
    io::{self, IsTerminal, Read},
    path::Path,
};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::{
    cli::{CommandError, Invocation},
    sftp_server::key_fingerprint,
    store::AccountKeyLine,
};

/// A file of one key is a few hundred bytes, and one of 16,384 bits has 3 KB.
const MAX_KEY_BYTES: u64 = 64 * 1024;

const MIN_PASSWORD_CHARACTERS: usize = 12;

/// The public key in a file; `-` is standard input.
pub(super) fn key(
    file: &Path,
    invocation: &mut Invocation<'_>,
) -> Result<AccountKeyLine, CommandError> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        let mut input = (&mut *invocation.input).take(MAX_KEY_BYTES);
        input.read_to_string(&mut text)
    } else {
        let opened = fs::File::open(file);
        opened.and_then(|opened| opened.take(MAX_KEY_BYTES).read_to_string(&mut text))
    };
    read.map_err(|error| CommandError::file("read the key", file, &error))?;
    if text.contains("PRIVATE KEY") {
        let error = format!("`{}` is a private key", file.display());
        return Err(CommandError::usage(error).hint(
            "it belongs to the other side alone; ask for the file beside it that ends in `.pub`",
        ));
    }
    let lines = text.lines().map(str::trim);
    let mut keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let key = match (keys.next(), keys.next()) {
        (Some(line), None) => key_fingerprint(line).map(|fingerprint| AccountKeyLine {
            fingerprint,
            line: line.to_owned(),
        }),
        _ => None,
    };
    key.ok_or_else(|| {
        let error = format!("`{}` is not one public key", file.display());
        CommandError::usage(error)
            .hint("it is a line such as `ssh-ed25519 AAAA… batch@example-city`")
    })
}

/// A password from the terminal, unseen and twice, or the first line of standard input.
pub(super) fn password(invocation: &mut Invocation<'_>) -> Result<String, CommandError> {
    let password = if io::stdin().is_terminal() {
        let password = unseen(invocation, "Password: ")?;
        if unseen(invocation, "Once more: ")? != password {
            return Err(CommandError::usage("the two passwords differ"));
        }
        password
    } else {
        line(invocation)?
    };
    if password.chars().count() < MIN_PASSWORD_CHARACTERS {
        let error = format!("a password has {MIN_PASSWORD_CHARACTERS} characters or more");
        return Err(CommandError::usage(error).hint("`--generate` makes a good one"));
    }
    Ok(password)
}

fn unseen(invocation: &mut Invocation<'_>, prompt: &str) -> Result<String, CommandError> {
    invocation.output.note(prompt);
    let seen = tcgetattr(io::stdin()).map_err(|error| failed(&error.into()))?;
    let _hidden = Hidden::start(seen).map_err(|error| failed(&error))?;
    line(invocation)
}

/// The terminal shows what is typed again when this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn start(seen: Termios) -> io::Result<Self> {
        let mut unseen = seen.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &unseen)?;
        Ok(Self(seen))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}

fn line(invocation: &mut Invocation<'_>) -> Result<String, CommandError> {
    let mut line = String::new();
    let read = invocation.input.read_line(&mut line);
    read.map_err(|error| failed(&error))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn failed(error: &io::Error) -> CommandError {
    CommandError::failed("cannot read the password").caused_by(error.to_string())
}
