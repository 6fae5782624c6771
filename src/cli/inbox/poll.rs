use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{list::looks_of, shown::InboxList};
use crate::{
    assemble,
    cli::{
        CommandError, Invocation,
        error::{ErrorKind, Outcome},
        runtime::runtime,
        settings,
    },
    domain::SenderId,
    store::{InboxLook, Store},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Only those of one sender
    #[arg(long, value_name = "NAME")]
    sender: Option<SenderId>,
    /// For `--dry-run`: the settings file; default: `kuori.toml` where there is one, else the
    /// embedded settings of `samples/config/demo.toml`
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    config: Option<PathBuf>,
    /// Look, and say what would be taken; touch nothing
    #[arg(long)]
    dry_run: bool,
}

/// How long an answer of the daemon is waited for, and how often it is asked for.
const PATIENCE: Duration = Duration::from_mins(1);
const ASK_EVERY: Duration = Duration::from_millis(200);

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let looks = if arguments.dry_run {
        inspect(arguments, invocation)?
    } else {
        ask(arguments, invocation)?
    };
    let has_failed = looks.iter().any(|look| look.error.is_some());
    let shown = InboxList::new(looks, Vec::new(), invocation.now);
    invocation.output.show(&shown)?;
    Ok(if has_failed {
        Outcome::Findings
    } else {
        Outcome::Done
    })
}

fn inspect(
    arguments: &Arguments,
    invocation: &Invocation<'_>,
) -> Result<Vec<InboxLook>, CommandError> {
    let file = arguments
        .config
        .clone()
        .or_else(settings::in_current_folder);
    let config = settings::load(file.as_deref(), invocation.options)?;
    let store = Arc::new(Invocation::store_in(&config.data_folder)?);
    let sender = arguments.sender.as_ref();
    let looking = assemble::inspect_inboxes(&config, &store, sender, invocation.now);
    Ok(runtime()?.block_on(looking)?)
}

/// Has the daemon look, and waits until it has.
fn ask(arguments: &Arguments, invocation: &Invocation<'_>) -> Result<Vec<InboxLook>, CommandError> {
    let store = invocation.store()?;
    if !assemble::is_in_use(&invocation.options.data_dir()) {
        let error = "nobody is there to look: no `kuori run` works in this data folder";
        return Err(CommandError::failed(error)
            .hint("start `kuori run`; it looks at once")
            .hint("`kuori process BATCH.zip` takes one batch by hand")
            .hint("`--dry-run` says what would be taken"));
    }
    let sender = arguments.sender.as_ref();
    let looks = looks_of(&store, sender)?;
    for look in &looks {
        store.request_look(&look.place, invocation.now)?;
    }
    wait_for(&store, &looks)?;
    looks_of(&store, sender)
}

fn wait_for(store: &Store, looks: &[InboxLook]) -> Result<(), CommandError> {
    let asked = Instant::now();
    for look in looks {
        while store.requested_look(&look.place)?.is_some() {
            if asked.elapsed() > PATIENCE {
                let error = format!("inbox `{}` has not been looked into yet", look.place);
                return Err(CommandError::new(ErrorKind::TryLater, error)
                    .hint("its server is slow, or away; see `kuori inbox list`"));
            }
            std::thread::sleep(ASK_EVERY);
        }
    }
    Ok(())
}
