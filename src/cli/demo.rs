//! The whole flow on one machine, with every party at its own end of the line.

mod parties;
mod stand_in;
pub(super) mod summary;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use self::{
    parties::{Lines, Parties},
    stand_in::StandIn,
    summary::{Paths, Summary},
};
use super::{
    CommandError, Invocation, Output, clock,
    error::Outcome,
    runtime::{runtime, stop_signal},
};
use crate::{
    assemble::Daemon,
    config::Config,
    domain::{BatchId, RecipientId},
    pipeline::Clock,
    sample::{self, Spec},
    store::{BatchRow, ConsentChange, ConsentStatus, Counts, Store},
};

/// What the demo uploads.
const BATCH_NAME: &str = "kirjeet_20261123210000.zip";
/// How long the demo waits without any letter moving on.
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// How many letters
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    letters: u32,

    /// Send the messages for mailboxes to a stand-in of Suomi.fi Messages, which forgets them with its end
    #[arg(long)]
    suomifi: bool,

    /// Leave the server and the daemon running until Ctrl-C
    #[arg(long)]
    keep: bool,

    /// Where to play it; the same folder again goes on where it stopped [default: a new temporary
    /// folder, which stays]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let folder = folder(arguments.dir.as_deref())?;
    let spec = Spec {
        letters: arguments.letters,
        ..Spec::default()
    };
    let demo = Demo {
        keep: arguments.keep,
        suomifi: arguments.suomifi,
        paths: Paths::below(&folder),
        spec,
    };
    let summary = runtime()?.block_on(demo.play(&mut invocation.output))?;
    if summary.is_accounted_for() {
        Ok(Outcome::Done)
    } else {
        Err(CommandError::failed("not every letter is accounted for")
            .hint(format!("look into `{}`", folder.display())))
    }
}

struct Demo {
    keep: bool,
    suomifi: bool,
    paths: Paths,
    spec: Spec,
}

impl Demo {
    async fn play(&self, output: &mut Output<'_>) -> Result<Summary, CommandError> {
        let parties = Parties::introduce(&self.paths)?;
        let mut config = self.config(&parties);
        let stand_in = self.stand_in(&mut config).await?;
        let daemon = Daemon::start(&config, Clock::new(clock::now)).await?;
        let address = daemon
            .address()
            .ok_or_else(|| CommandError::failed("no server"))?;
        let fingerprints = daemon.fingerprints();
        let (stop, stopped) = watch::channel(false);
        let store = daemon.store();
        self.make_batch(&store, output)?;
        let working = tokio::spawn(daemon.run(stopped));

        let lines = parties.log_in(&self.paths, address, fingerprints).await?;
        let started = Instant::now();
        lines.upload(&self.paths.batch, BATCH_NAME).await?;
        let uploaded = started.elapsed();
        let (batch, counts) = self.wait(&store, &lines, output).await?;
        let worked = started.elapsed();
        let fetched = lines.fetch(&store, batch, &self.paths).await?;
        let summary = Summary::new(
            &self.spec,
            batch,
            counts,
            fetched,
            stand_in.as_ref().map(StandIn::taken),
            (uploaded, worked),
            &self.paths,
        );
        output.show(&summary)?;
        if let Some(stand_in) = stand_in.as_ref().filter(|_| self.keep) {
            let url = stand_in.base_url();
            output.note(format!(
                "standing in for Suomi.fi Messages: curl {url}/_stub"
            ));
        }
        if self.keep {
            output.note(format!("serving SFTP on {address}; Ctrl-C stops it"));
            let mut signal = stop_signal().map_err(CommandError::failed)?;
            let _ = signal.changed().await;
        }
        let _ = stop.send(true);
        working.await.map_err(CommandError::failed)??;
        Ok(summary)
    }

    /// The embedded settings, on a free port, open to the two parties.
    fn config(&self, parties: &Parties) -> Config {
        let mut config = Config::embedded(self.paths.data.clone());
        // A demo is ended by hand.
        config.runner.max_crashes = u32::MAX;
        if let Some(server) = &mut config.server {
            server.settings.listen.set_port(0);
        }
        for sender in &mut config.senders {
            sender.inbox.poll_interval_secs = 1;
            sender.account.public_keys = vec![parties.sender_key.clone()];
        }
        for print_house in &mut config.print_houses {
            print_house.account.public_keys = vec![parties.print_house_key.clone()];
        }
        config
    }

    /// What it was sent is gone with it, so such a demo begins anew each time.
    async fn stand_in(&self, config: &mut Config) -> Result<Option<StandIn>, CommandError> {
        if !self.suomifi {
            return Ok(None);
        }
        if self.paths.batch.exists() {
            let folder = self.paths.batch.display();
            let error = format!("a demo has begun here: `{folder}` is there");
            return Err(CommandError::usage(error).hint(
                "the stand-in has forgotten what it was sent: name another folder with `--dir`",
            ));
        }
        let stand_in = StandIn::start(&self.spec).await?;
        stand_in.introduce(config, &self.paths)?;
        Ok(Some(stand_in))
    }

    /// Writes the sample batch and gives its recipients their mailboxes.
    fn make_batch(&self, store: &Store, output: &Output<'_>) -> Result<(), CommandError> {
        let bar = output.progress(self.spec.letters.into(), "letters made");
        let file = File::create(&self.paths.batch)
            .map_err(|error| CommandError::file("write", &self.paths.batch, &error))?;
        sample::write(&self.spec, file, &|letters| bar.reach(letters.into()))
            .map_err(CommandError::failed)?;
        let now = clock::now();
        let granted = |recipient: sample::SampleRecipient| {
            recipient
                .id
                .filter(|_| recipient.has_mailbox)
                .map(|id| ConsentChange {
                    recipient: RecipientId::Person(id),
                    status: ConsentStatus::Granted,
                    since: now,
                })
        };
        let consents: Vec<_> = sample::recipients(&self.spec).filter_map(granted).collect();
        for page in consents.chunks(1_000) {
            store.record_consents(page, "demo", now)?;
        }
        Ok(())
    }

    /// Waits until no letter is under way and everything is handed over.
    async fn wait(
        &self,
        store: &Store,
        lines: &Lines,
        output: &Output<'_>,
    ) -> Result<(BatchId, Counts), CommandError> {
        let bar = output.progress(self.spec.letters.into(), "letters on their way");
        let bytes = fs::metadata(&self.paths.batch)
            .map_err(|error| CommandError::file("read", &self.paths.batch, &error))?
            .len();
        // The folder may hold batches that somebody sent by hand meanwhile.
        let is_ours = |row: &BatchRow| row.file_name == BATCH_NAME && row.bytes == bytes;
        let (mut seen, mut since) = (Counts::default(), Instant::now());
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            let Some(row) = store.batches(u32::MAX)?.into_iter().find(is_ours) else {
                continue;
            };
            let counts = store.counts(row.id)?;
            let idle = row.due_at.is_none()
                && store.next_delivery_report_due()?.is_none()
                && store.next_outgoing_due()?.is_none();
            if idle && counts.is_settled() && lines.all_taken(store).await? {
                return Ok((row.id, counts));
            }
            if counts != seen {
                (seen, since) = (counts, Instant::now());
            }
            bar.reach(counts.delivered + counts.printed);
            if since.elapsed() > PATIENCE {
                return Err(
                    CommandError::failed("nothing has moved for two minutes").hint(format!(
                        "see `kuori batch show {} --data-dir {}`",
                        row.id,
                        self.paths.data.display()
                    )),
                );
            }
        }
    }
}

fn folder(named: Option<&Path>) -> Result<PathBuf, CommandError> {
    let made = match named {
        Some(folder) => fs::create_dir_all(folder).and_then(|()| folder.canonicalize()),
        None => tempfile::Builder::new()
            .prefix("kuori-demo-")
            .tempdir()
            .map(tempfile::TempDir::keep),
    };
    made.map_err(|error: io::Error| {
        let named = named.map_or("a temporary folder".to_owned(), |folder| {
            format!("the folder `{}`", folder.display())
        });
        CommandError::failed(format!("cannot make {named}")).caused_by(error.to_string())
    })
}
