//! The command line: arguments in, exit code out.
//!
//! Comes in: what an operator types. Goes out: data on standard output, everything else on
//! standard error, and an exit code. Each command is one file: it reads its arguments, asks the
//! rooms, and shows one document, as text or as JSON. It does not know SQL, the network, or what
//! a step does; and it prints no identity code, no name and no address, unless the register of
//! consents is exported to standard output.

mod account;
mod actor;
mod alert;
mod audit;
mod backup;
mod batch;
mod bundle;
mod check;
mod clock;
mod config;
mod consent;
mod deed;
mod demo;
mod dev;
mod error;
mod events;
mod finding;
mod finding_report;
mod inbox;
mod invocation;
mod message;
mod moment;
mod notice_texts;
mod notices;
mod options;
mod outbox;
mod output;
mod page_picture;
mod picking;
mod picture_folder;
mod postal_codes;
mod process;
mod progress;
mod purge;
mod queue;
mod receipt;
mod render_page;
mod renderer;
mod reprocess;
mod restore;
mod rewrite_pdf;
mod run;
mod runtime;
mod sample;
mod sender;
mod settings;
mod sftp;
mod status;
mod suomifi;
mod table;
#[cfg(test)]
mod tests;
mod timer;
mod verify;
mod when;
mod words;

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

use self::{
    error::{CommandError, Outcome},
    invocation::Invocation,
    options::Options,
    output::Output,
    renderer::Renderer,
};
use crate::telemetry;

const EXIT_CODES: &str = "Exit codes:
  0   done
  1   failed
  2   bad command line
  3   done, with findings
  75  failed, and the same again can work later
  78  bad settings";

/// Takes batches of letters, delivers to digital mailboxes, and turns the rest into bundles for
/// the print house
#[derive(Parser)]
#[command(name = "kuori", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Take batches, deliver, print and report, until stopped
    Run(run::Arguments),
    /// Take one batch from a file through all steps
    Process(process::Arguments),
    /// Play the whole flow on an artificial batch
    Demo(demo::Arguments),
    /// Say all that is wrong with a batch, without taking it
    ///
    /// The answer is the one that the sender would get; nothing is stored, delivered or printed.
    /// The exit code is 3 where there are errors or warnings. Recipients' mailboxes, and whether
    /// a letter came before, are known only to a house that runs.
    Check(check::Arguments),
    /// Explain the code of a finding, or list them all
    Finding(finding::Arguments),
    /// Make an artificial batch
    ///
    /// No real person can be hit by one. The same options make the same bytes.
    Sample(sample::Arguments),
    /// Look at batches, approve, hold, release or cancel them
    #[command(subcommand)]
    Batch(batch::Command),
    /// Look at senders, put them on hold or release them
    #[command(subcommand)]
    Sender(sender::Command),
    /// Say who may log in to the embedded server, and with what
    ///
    /// The daemon follows within a second: who is disabled, or whose key goes, loses the connection.
    #[command(subcommand)]
    Account(account::Command),
    /// Look into the folders that batches come from
    #[command(subcommand)]
    Inbox(inbox::Command),
    /// Look at messages, hold, release or cancel them
    #[command(subcommand)]
    Message(message::Command),
    /// Look at what the print house gets
    #[command(subcommand)]
    Bundle(bundle::Command),
    /// Look at what waits to leave the house, and have it tried again
    #[command(subcommand)]
    Outbox(outbox::Command),
    /// Look at messages that go on paper if nobody reads or confirms them in time
    #[command(subcommand)]
    Timer(timer::Command),
    /// Look at what waits for a mailbox service
    #[command(subcommand)]
    Queue(queue::Command),
    /// Say what waits for what, the worst first, and what to type
    ///
    /// The exit code is 3 where something needs an operator.
    Status(status::Arguments),
    /// Print all that happened to one thing, oldest first
    Events(events::Arguments),
    /// Look at what operators did, and whether all of it still stands there
    #[command(subcommand)]
    Audit(audit::Command),
    /// Set messages back to a step, so that it is done again
    ///
    /// Messages are picked by what is known of them; all that is said must hold. Unless single
    /// messages, states or a step are named, only those that failed are meant: refused or held.
    /// What has left the house is never sent again unless `--print-again` or `--deliver-again` says
    /// so.
    #[command(after_help = reprocess::EXAMPLES)]
    Reprocess(reprocess::Arguments),
    /// Remove what is kept longer than it is needed
    ///
    /// Without `--batch`, `--sender` and `--older-than` that is what the settings say, which the
    /// daemon removes once a day anyway. What is not at its end is kept whatever its age; the batch
    /// with its digest, its counts and its receipts stay for good.
    Purge(purge::Arguments),
    /// See what operators were told of, and try the command that tells them
    #[command(subcommand)]
    Alert(alert::Command),
    /// Hold a data folder to the rules of the house
    ///
    /// Looks at every row and file, beside a daemon too, and changes nothing. The exit code is 3
    /// where a rule is broken.
    Verify(verify::Arguments),
    /// Copy the data folder as it is at one moment, while the daemon works
    ///
    /// Rows, the files that they name, keys and mailboxes; `SHA256SUMS` and `backup.json` say what is in
    /// it. The homes of the embedded server's accounts are left out.
    Backup(backup::Arguments),
    /// Make a data folder of a backup, and say what may have been done since
    ///
    /// Nothing is done in it until `kuori restore accept`.
    Restore(restore::Arguments),
    /// Keep the register of consents to digital delivery
    #[command(subcommand)]
    Consent(consent::Command),
    /// Look after the signatures of receipts
    #[command(subcommand)]
    Receipt(receipt::Command),
    /// Look at settings
    #[command(subcommand)]
    Config(config::Command),
    /// Try the SFTP servers of others, and learn their host keys
    #[command(subcommand)]
    Sftp(sftp::Command),
    /// Try things against stand-ins for the services of others
    #[command(subcommand)]
    Dev(dev::Command),
    /// Try the mail server that recipients are told through
    #[command(subcommand)]
    Notices(notices::Command),
    /// Try the services of Suomi.fi Messages, and change their passwords
    #[command(subcommand)]
    Suomifi(suomifi::Command),
    /// Draw the first page of a PDF, from standard input to standard output
    #[command(hide = true)]
    RenderPage(render_page::Arguments),
    /// What the second reader of PDFs is started as: standard input to standard output
    #[command(hide = true)]
    RewritePdf(rewrite_pdf::Arguments),
}

/// Runs one command. `args` begins with the program's name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Arguments { options, command } = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(told) => return refuse(&told),
    };
    if let Command::RewritePdf(arguments) = &command {
        return rewrite_pdf::run(arguments);
    }
    if !matches!(command, Command::Run(_)) {
        telemetry::start(
            options.log_format.unwrap_or_default(),
            options.log_filter("warn"),
        );
    }
    let (mut out, mut err) = (io::stdout().lock(), io::stderr());
    let invocation = Invocation {
        options: &options,
        output: Output::new(&mut out, &mut err, &options),
        input: &mut io::stdin().lock(),
        now: clock::now(),
        actor: actor::actor(),
        renderer: Renderer::OwnProcess,
    };
    carry_out(&command, invocation).into()
}

/// A bad command line, or a call for help: both come from the parser.
fn refuse(told: &clap::Error) -> ExitCode {
    let _ = told.print();
    let _ = io::stdout().flush();
    u8::try_from(told.exit_code()).unwrap_or(2).into()
}

fn carry_out(command: &Command, mut invocation: Invocation<'_>) -> u8 {
    match dispatch(command, &mut invocation) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            if error.kind.exit_code() != 0 {
                invocation.output.error(&error);
            }
            error.kind.exit_code()
        }
    }
}

fn dispatch(command: &Command, invocation: &mut Invocation<'_>) -> Result<Outcome, CommandError> {
    match command {
        Command::Run(arguments) => run::run(arguments, invocation),
        Command::Process(arguments) => process::run(arguments, invocation),
        Command::Demo(arguments) => demo::run(arguments, invocation),
        Command::Check(arguments) => check::run(arguments, invocation),
        Command::Finding(arguments) => finding::run(arguments, invocation),
        Command::Sample(arguments) => sample::run(arguments, invocation),
        Command::Batch(command) => batch::run(command, invocation),
        Command::Sender(command) => sender::run(command, invocation),
        Command::Account(command) => account::run(command, invocation),
        Command::Inbox(command) => inbox::run(command, invocation),
        Command::Message(command) => message::run(command, invocation),
        Command::Bundle(command) => bundle::run(command, invocation),
        Command::Outbox(command) => outbox::run(command, invocation),
        Command::Timer(command) => timer::run(command, invocation),
        Command::Queue(command) => queue::run(command, invocation),
        Command::Status(arguments) => status::run(arguments, invocation),
        Command::Alert(command) => alert::run(command, invocation),
        Command::Audit(command) => audit::run(command, invocation),
        Command::Events(arguments) => events::run(arguments, invocation),
        Command::Reprocess(arguments) => reprocess::run(arguments, invocation),
        Command::Backup(arguments) => backup::run(arguments, invocation),
        Command::Restore(arguments) => restore::run(arguments, invocation),
        Command::Purge(arguments) => purge::run(arguments, invocation),
        Command::Verify(arguments) => verify::run(arguments, invocation),
        Command::Consent(command) => consent::run(command, invocation),
        Command::Receipt(command) => receipt::run(command, invocation),
        Command::Config(command) => config::run(command, invocation),
        Command::Sftp(command) => sftp::run(command, invocation),
        Command::Dev(command) => dev::run(command, invocation),
        Command::Notices(command) => notices::run(command, invocation),
        Command::Suomifi(command) => suomifi::run(command, invocation),
        Command::RenderPage(arguments) => render_page::run(arguments, invocation),
        Command::RewritePdf(_) => Ok(Outcome::Done),
    }
}
