mod kind;
mod overlay;
mod report;
mod shelf;
mod source;
mod verdict;

use std::{
    convert::Infallible,
    env,
    io::BufRead,
    path::{Path, PathBuf},
};

pub(super) use self::report::Report;
use self::{
    kind::Kind,
    overlay::{OpenBatch, Overlay, Suspects},
    report::Checked,
    shelf::ScratchShelf,
    source::{Source, no_room},
    verdict::Rules,
};
use super::{
    CommandError, Invocation,
    error::{ErrorKind, Outcome},
    finding_report::FindingReport,
    postal_codes,
    progress::Progress,
    settings, words,
};
use crate::{
    assemble,
    batch::{self, Archive, Entry, OpenedMessage, Settings},
    config::nearest,
    domain::{Code, Finding, Language, SenderId},
    pipeline::{PageCheck, SenderSettings},
    second_reader,
    store::Scratch,
};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// ZIPs, folders of ZIPs, or `-` for standard input
    #[arg(value_name = "BATCH.zip", required = true)]
    batches: Vec<PathBuf>,

    /// The settings file, for a sender's own limits
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Whose batch it is, where the settings have more than one sender
    #[arg(long, value_name = "NAME", requires = "config")]
    sender: Option<SenderId>,

    /// Which postal codes there are, and whose: Posti's PCF file, or CSV
    #[arg(long, value_name = "FILE")]
    postal_codes: Option<PathBuf>,

    /// How many places are named for each code
    #[arg(long, value_name = "N", default_value_t = 5)]
    examples: u32,

    /// The language of what codes mean and of what to do [default: the sender's, or `en`]
    #[arg(long, value_name = "LANGUAGE",
          value_parser = words::one_of(&Language::ALL, Language::as_str))]
    language: Option<Language>,

    #[command(flatten)]
    overlay: overlay::Arguments,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let mut check = check(arguments, invocation)?;
    let mut report = Report::default();
    for source in source::all(&arguments.batches)? {
        let progress = invocation.output.counter("letters");
        report.take(check.one(&source, invocation.input, &progress)?);
    }
    invocation.output.show(&report)?;
    report.hints().for_each(|hint| invocation.output.hint(hint));
    Ok(if report.has_trouble() {
        Outcome::Findings
    } else {
        Outcome::Done
    })
}

/// As the arguments ask for it; without a settings file by the defaults.
fn check(arguments: &Arguments, invocation: &Invocation<'_>) -> Result<Check, CommandError> {
    let mut terms = match &arguments.config {
        None => Terms::ordinary(invocation)?,
        Some(file) => Terms::of_sender(arguments.sender.as_ref(), file, invocation)?,
    };
    if let Some(file) = &arguments.postal_codes {
        terms.settings.postal_codes = Some(postal_codes::read(file)?);
    }
    terms.language = arguments.language.unwrap_or(terms.language);
    Ok(Check {
        terms,
        scratch: Scratch::new(env::temp_dir()),
        examples: arguments.examples,
        overlay: Overlay::of(&arguments.overlay, invocation.renderer)?,
    })
}

/// What batches are held to, and how it is told.
struct Terms {
    settings: Settings,
    pages: PageCheck,
    rules: Rules,
    language: Language,
}

impl Terms {
    fn ordinary(invocation: &Invocation<'_>) -> Result<Self, CommandError> {
        let second_reader = assemble::second_reader(&second_reader::Settings::default())?;
        Ok(Self {
            settings: Settings::default(),
            pages: PageCheck::default().with_second_reader(second_reader),
            rules: Rules::ordinary(invocation.now),
            language: Language::default(),
        })
    }

    /// Those of the sender that was named, or of the only one.
    fn of_sender(
        named: Option<&SenderId>,
        file: &Path,
        invocation: &Invocation<'_>,
    ) -> Result<Self, CommandError> {
        let config = settings::load(Some(file), invocation.options)?;
        let senders = config.senders.into_iter().map(|sender| sender.settings);
        let sender = chosen(senders.collect(), named, file)?;
        let mut print_houses = config.print_houses.iter().map(|house| &house.settings);
        let print_house = print_houses.find(|house| sender.print_house.as_ref() == Some(&house.id));
        let settings = sender.batch_settings(print_house);
        Ok(Self {
            pages: PageCheck::of(&sender, print_house)
                .with_second_reader(assemble::second_reader(&config.second_reader)?),
            rules: Rules::of(&sender, settings.paper, invocation.now),
            settings,
            language: sender.language,
        })
    }
}

fn chosen(
    mut senders: Vec<SenderSettings>,
    named: Option<&SenderId>,
    file: &Path,
) -> Result<SenderSettings, CommandError> {
    let at = match named {
        Some(named) => senders.iter().position(|sender| sender.id == *named),
        None => (senders.len() == 1).then_some(0),
    };
    if let Some(at) = at {
        return Ok(senders.swap_remove(at));
    }
    let known = senders.iter().map(|sender| sender.id.as_str());
    let listed: Vec<_> = known.clone().collect();
    let listed = format!(
        "name one of its senders with `--sender`: {}",
        listed.join(", ")
    );
    let Some(named) = named else {
        return Err(CommandError::usage("whose batch is it?").hint(listed));
    };
    let error = format!("`{}` has no sender `{named}`", file.display());
    let error = CommandError::new(ErrorKind::Settings, error);
    Err(match nearest(named.as_str(), known) {
        Some(meant) => error.hint(format!("did you mean `--sender {meant}`?")),
        None => error.hint(listed),
    })
}

/// How batches are looked at.
struct Check {
    terms: Terms,
    scratch: Scratch,
    examples: u32,
    overlay: Option<Overlay>,
}

impl Check {
    fn one(
        &mut self,
        source: &Source,
        input: &mut dyn BufRead,
        progress: &Progress,
    ) -> Result<Checked, CommandError> {
        let report = FindingReport::new(self.examples, self.terms.language);
        let checked = Checked::new(source, report);
        let limits = self.terms.settings.limits.clone();
        let bytes = match source.read(input, &self.scratch, limits.max_zip_bytes)? {
            Ok(bytes) => bytes,
            Err(finding) => return Ok(checked.unopened(&[finding], None)),
        };
        progress.wait();
        match Archive::open(bytes.as_ref(), &limits) {
            Ok(archive) => self.open(checked, &archive, progress),
            Err(findings) => {
                let is_no_zip = |found: &Finding| found.code == Code::ArchiveUnreadable;
                let kind = findings
                    .iter()
                    .any(is_no_zip)
                    .then(|| Kind::of(bytes.as_ref()));
                Ok(checked.unopened(&findings, kind.flatten()))
            }
        }
    }

    fn open(
        &mut self,
        mut checked: Checked,
        archive: &Archive<'_>,
        progress: &Progress,
    ) -> Result<Checked, CommandError> {
        // A letter has a PDF of its own, or it is not known before how many there are.
        let pdfs = archive.entries().iter().filter(|entry| is_pdf(entry));
        let pdfs = pdfs.count() as u64;
        if pdfs > 1 {
            progress.expect(pdfs);
        }
        let name = checked.file().to_owned();
        let documents = ScratchShelf {
            scratch: &self.scratch,
            progress,
        };
        let mut suspects = self.overlay.as_ref().map(Overlay::suspects);
        let mut sink = |page: Vec<OpenedMessage>| -> Result<(), Infallible> {
            for message in page {
                if let Some(suspects) = &mut suspects {
                    suspects.take(&message);
                }
                checked.count(message, &self.terms.rules);
            }
            progress.reach(checked.messages());
            Ok(())
        };
        let Terms {
            settings, pages, ..
        } = &self.terms;
        let opened = batch::open(archive, &name, settings, &documents, pages, &mut sink);
        let opened = opened.map_err(|error| match error {
            batch::OpenError::Shelf(source) => no_room(&source),
            batch::OpenError::Sink(never) => match never {},
        })?;
        let checked = checked.finish(&opened, self.terms.rules.gate);
        match suspects {
            None => Ok(checked),
            Some(suspects) => self.draw(checked, &suspects, archive, progress),
        }
    }

    fn draw(
        &mut self,
        checked: Checked,
        suspects: &Suspects,
        archive: &Archive<'_>,
        progress: &Progress,
    ) -> Result<Checked, CommandError> {
        let Some(overlay) = &mut self.overlay else {
            return Ok(checked);
        };
        let name = checked.file().to_owned();
        let batch = OpenBatch {
            name: &name,
            archive,
            limits: &self.terms.settings.limits,
            check: &self.terms.pages,
            scratch: &self.scratch,
        };
        Ok(checked.with_pictures(overlay.draw(suspects, &batch, progress)?))
    }
}

fn is_pdf(entry: &Entry) -> bool {
    let ending = entry.name.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case("pdf"))
}
