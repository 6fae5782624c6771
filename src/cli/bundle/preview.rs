use std::{
    fmt,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    str::FromStr,
};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{
        CommandError, Invocation,
        error::{ErrorKind, Outcome},
        page_picture::{Legend, PageToDraw, PictureOfPage},
        picture_folder, settings,
        words::counted,
    },
    domain::{BatchId, BundleId, BundleState, InvalidId},
    pdf::Document,
    print,
    proof::{self, Stage},
    store::{BundleRow, MappedFile, OutgoingKind, Store},
};

use super::{Piece, pieces};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The bundle, such as `P-0031`, or a batch that has only one
    #[arg(value_name = "BUNDLE")]
    of: BundleOrBatch,

    /// Which piece, by its sequence in the bundle
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    piece: u32,

    /// Only one sheet of the piece
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    sheet: Option<u32>,

    /// A folder, or for a single page a file that ends in `.png` [default: the current folder]
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,

    /// Dots an inch
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u16).range(36..=600))]
    dpi: u16,

    /// The settings file, for the print house's own zones
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Overwrite pictures that are there already
    #[arg(long)]
    force: bool,
}

/// Whatever an operator has at hand.
#[derive(Debug, Clone, Copy)]
enum BundleOrBatch {
    Bundle(BundleId),
    Batch(BatchId),
}

impl FromStr for BundleOrBatch {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.parse() {
            Ok(batch) => Ok(Self::Batch(batch)),
            Err(_) => text.parse().map(Self::Bundle),
        }
    }
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let bundle = bundle(arguments.of, &store)?;
    let piece = piece(&bundle, arguments.piece, &store)?;
    let settings = print_settings(arguments, &bundle, invocation)?;
    let file = composed_file(&bundle, &store)?;
    let preview = Preview {
        arguments,
        bundle: &bundle,
        piece,
        settings: &settings,
    };
    let shown = preview.draw(&file, invocation)?;
    invocation.output.show(&shown)?;
    Ok(if shown.pages.iter().all(PictureOfPage::is_whole) {
        Outcome::Done
    } else {
        Outcome::Findings
    })
}

fn bundle(of: BundleOrBatch, store: &Store) -> Result<BundleRow, CommandError> {
    let batch = match of {
        BundleOrBatch::Bundle(bundle) => return Ok(store.bundle(bundle)?),
        BundleOrBatch::Batch(batch) => store.batch(batch)?.id,
    };
    let mut bundles = store.bundles(Some(batch), u32::MAX)?;
    bundles.retain(|bundle| bundle.state != BundleState::Withdrawn);
    if bundles.len() == 1
        && let Some(only) = bundles.pop()
    {
        return Ok(only);
    }
    let number = counted(bundles.len() as u64, "bundle", "bundles");
    let error = CommandError::failed(format!("{batch} has {number}"));
    Err(if bundles.is_empty() {
        error.hint(format!(
            "`kuori batch show {batch}` says where its letters are"
        ))
    } else {
        error.hint(format!(
            "name one: `kuori bundle list --batch {batch}` has them"
        ))
    })
}

fn piece(bundle: &BundleRow, sequence: u32, store: &Store) -> Result<Piece, CommandError> {
    let mut pieces = pieces(&store.pieces(bundle.id)?).into_iter();
    let found = pieces.find(|piece| piece.sequence == sequence);
    found.ok_or_else(|| {
        let (id, pieces) = (bundle.id, counted(bundle.pieces.into(), "piece", "pieces"));
        CommandError::failed(format!("{id} has no piece {sequence}, but {pieces}"))
            .hint(format!("see `kuori bundle show {id}`"))
    })
}

/// What the print house of the bundle wants; without a settings file the defaults, which is said.
fn print_settings(
    arguments: &Arguments,
    bundle: &BundleRow,
    invocation: &mut Invocation<'_>,
) -> Result<print::Settings, CommandError> {
    let Some(file) = &arguments.config else {
        invocation
            .output
            .note("the zones are the defaults; `--config FILE` has those of the print house");
        return Ok(print::Settings::default());
    };
    let config = settings::load(Some(file), invocation.options)?;
    let mut houses = config.print_houses.into_iter().map(|house| house.settings);
    let house = houses.find(|house| house.id == bundle.print_house);
    house.map(|house| house.print).ok_or_else(|| {
        let error = format!(
            "`{}` has no print house `{}`",
            file.display(),
            bundle.print_house
        );
        CommandError::new(ErrorKind::Settings, error)
            .hint("leave out `--config` for the default zones")
    })
}

/// The bundle's PDF as it stands in the spool.
fn composed_file(bundle: &BundleRow, store: &Store) -> Result<MappedFile, CommandError> {
    let id = bundle.id;
    let batch = bundle.batch;
    match bundle.state {
        BundleState::Composed | BundleState::HandedOver => {}
        BundleState::Planned => {
            return Err(CommandError::new(
                ErrorKind::TryLater,
                format!("{id} is not composed yet"),
            )
            .hint(format!("`kuori batch show {batch}` says what it waits for")));
        }
        BundleState::Withdrawn => {
            return Err(
                CommandError::failed(format!("{id} was withdrawn before hand-over")).hint(format!(
                    "`kuori bundle list --batch {batch}` has those that hold"
                )),
            );
        }
    }
    let outgoing = store.outgoing_of(batch)?;
    let mut outgoing = outgoing
        .iter()
        .filter(|sent| (sent.kind, sent.bundle) == (OutgoingKind::Bundle, Some(id)));
    let files = outgoing.next().map(|sent| sent.files.as_slice());
    let mut pdfs = files.unwrap_or_default().iter();
    let pdf = pdfs.find(|file| {
        Path::new(&file.path)
            .extension()
            .is_some_and(|it| it == "pdf")
    });
    let pdf = pdf.filter(|pdf| store.spool().contains(&pdf.file.key));
    let Some(pdf) = pdf else {
        return Err(
            CommandError::failed(format!("the PDF of {id} is not in the spool any more"))
                .hint("bring it back from a backup, or look at the print house's copy"),
        );
    };
    Ok(store.spool().map(&pdf.file.key)?)
}

struct Preview<'a> {
    arguments: &'a Arguments,
    bundle: &'a BundleRow,
    piece: Piece,
    settings: &'a print::Settings,
}

impl Preview<'_> {
    fn draw(
        &self,
        file: &MappedFile,
        invocation: &mut Invocation<'_>,
    ) -> Result<Previewed, CommandError> {
        let document = Document::open(file.as_ref(), &self.settings.pdf_limits);
        let document = document.map_err(|refusal| {
            CommandError::failed(format!("the PDF of {} cannot be read", self.bundle.id))
                .caused_by(refusal.to_string())
        })?;
        let pages = self.pages()?;
        let files = self.files(&pages)?;
        let progress = invocation.output.progress(files.len() as u64, "pages");
        let mut drawn = Vec::new();
        for (index, file) in pages.zip(files) {
            let page = PageToDraw {
                document: &document,
                number: self.piece.first_page + index,
                dpi: self.arguments.dpi,
                outlines: proof::outlines(
                    self.settings,
                    Stage::Composed,
                    index,
                    self.bundle.group.duplex,
                ),
            };
            let kept = page.draw(invocation.renderer).keep(|png| {
                picture_folder::write(&file, self.arguments.force, png)?;
                Ok(file)
            })?;
            drawn.push(kept);
            progress.reach(drawn.len() as u64);
        }
        Ok(Previewed {
            bundle: self.bundle.id.to_string(),
            piece: self.piece.sequence,
            message: self.piece.message.clone(),
            messages: self.piece.messages.clone(),
            dpi: self.arguments.dpi,
            pages: drawn,
        })
    }

    /// Pages of the piece that are drawn, from 0.
    fn pages(&self) -> Result<RangeInclusive<u32>, CommandError> {
        let last = self.piece.pages.saturating_sub(1);
        let Some(sheet) = self.arguments.sheet else {
            return Ok(0..=last);
        };
        if sheet > self.piece.sheets {
            let sheets = counted(self.piece.sheets.into(), "sheet", "sheets");
            let error = format!("piece {} has {sheets}", self.piece.sequence);
            return Err(CommandError::failed(error).hint("leave out `--sheet` for all of them"));
        }
        let sides = if self.bundle.group.duplex { 2 } else { 1 };
        let first = (sheet - 1) * sides;
        Ok(first..=last.min(first + sides - 1))
    }

    /// Where the pictures go, each of which may be written.
    fn files(&self, pages: &RangeInclusive<u32>) -> Result<Vec<PathBuf>, CommandError> {
        let out = self.arguments.out.as_deref().unwrap_or(Path::new("."));
        let is_file = out.extension().is_some_and(|ending| ending == "png") && !out.is_dir();
        let files = if is_file {
            let number = pages.clone().count();
            if number > 1 {
                let error = format!("{number} pages do not fit into `{}`", out.display());
                return Err(CommandError::usage(error)
                    .hint("name a folder, or a sheet of one page with `--sheet`"));
            }
            vec![out.to_owned()]
        } else {
            picture_folder::make(out)?;
            let files = pages.clone().map(|index| out.join(self.file_name(index)));
            files.collect()
        };
        for file in &files {
            picture_folder::may_write(file, self.arguments.force)?;
        }
        Ok(files)
    }

    fn file_name(&self, index: u32) -> String {
        format!(
            "{}-{}-{}.png",
            self.bundle.id,
            self.piece.sequence,
            index + 1
        )
    }
}

/// `kuori bundle preview`: the pictures of a piece.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Previewed {
    bundle: String,
    /// 1-based in the bundle.
    piece: u32,
    /// Its first letter's.
    message: String,
    /// All whose letters lie in this envelope, in their order.
    messages: Vec<String>,
    /// Dots an inch.
    dpi: u16,
    pages: Vec<PictureOfPage>,
}

impl fmt::Display for Previewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for page in &self.pages {
            writeln!(f, "{page}")?;
        }
        Legend::of(self.pages.iter().flat_map(PictureOfPage::zones)).fmt(f)
    }
}
