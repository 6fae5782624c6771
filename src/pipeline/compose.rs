use super::{
    Error, House, PrintHouseSettings, SenderSettings,
    documents::{Documents, Letters},
    letter_pdf::not_composable,
    paper_queue, plan,
    stop::Stop,
};
use crate::{
    domain::{BatchState, Letter, Reason, ServiceKind, StatedRecipient},
    pdf::DigestKey,
    print::{self, BundleIdentity, BundlePlan, Composed, Contents, FileDigest, JobTicket},
    store::{
        BatchRow, BundleRow, MessageRow, NewOutgoing, NewSpoolFile, OutgoingFile, OutgoingKind,
        Place, Spool, SpoolKey, SpooledFile, StepOutcome,
    },
};

/// Turns the letters of a batch into bundles: first the plan as rows, then the files of each. Where a
/// service prints them, they wait for it instead.
///
/// Once planned, a letter's bundle and place in it are fixed; a bundle whose files were half
/// written is composed again to the same bytes.
pub(super) fn run(house: &House, row: &BatchRow, stop: &Stop) -> Result<(), Error> {
    let sender = house.sender(&row.sender)?;
    house.store.settle_printed(row.id, house.clock.now())?;
    match house.printing_service(sender, row.is_test) {
        Some(printing) => paper_queue::run(house, row, printing, stop)?,
        None => compose_all(house, sender, row, stop)?,
    }
    let now = house.clock.now();
    Ok(house
        .store
        .finish_step(row, &StepOutcome::next(BatchState::Composed, now), now)?)
}

fn compose_all(
    house: &House,
    sender: &SenderSettings,
    row: &BatchRow,
    stop: &Stop,
) -> Result<(), Error> {
    let mut was_idle = false;
    // A letter that cannot be composed is held and frees the others, so plan until none is left.
    while let Some(round) = Round::of(house, sender, row)? {
        // An operator holds it: what is planned stays so until it is released.
        if house.store.has_moved(row)? {
            break;
        }
        let settled = round.run(stop)?;
        // Plans may be given up once, for settings that have changed; not over and over.
        if settled == 0 && was_idle {
            return Err(Error::Unsteady(row.id));
        }
        was_idle = settled == 0;
    }
    Ok(())
}

/// Letters that are in no bundle yet, or bundles that have no files yet.
struct Round<'a> {
    house: &'a House,
    sender: &'a SenderSettings,
    row: &'a BatchRow,
}

impl<'a> Round<'a> {
    /// `None` where nothing is left to plan or to compose.
    fn of(
        house: &'a House,
        sender: &'a SenderSettings,
        row: &'a BatchRow,
    ) -> Result<Option<Self>, Error> {
        let is_left = plan::has_letters_to_plan(house, row)?
            || !house.store.planned_bundles(row.id)?.is_empty();
        Ok(is_left.then_some(Self { house, sender, row }))
    }

    /// Returns how many bundles were composed, and letters refused or held: these never come back
    /// in a later round.
    fn run(self, stop: &Stop) -> Result<usize, Error> {
        let (house, sender, row) = (self.house, self.sender, self.row);
        let documents = Documents::load(house, row, &sender.batch.limits)?;
        documents.lend(|letters| {
            let refused = plan::run(house, sender, row, letters)?;
            Ok(refused + compose_planned(house, row, letters, stop)?)
        })
    }
}

pub(super) fn print_house<'a>(
    house: &'a House,
    sender: &SenderSettings,
) -> Result<&'a PrintHouseSettings, Error> {
    let none = || Error::NoPrintContract(sender.id.clone());
    house.print_house(sender.print_house.as_ref().ok_or_else(none)?)
}

/// Returns how many bundles were composed, or lost a letter that is held.
fn compose_planned(
    house: &House,
    row: &BatchRow,
    letters: &Letters<'_>,
    stop: &Stop,
) -> Result<usize, Error> {
    let sender = house.sender(&row.sender)?;
    let mut settled = 0;
    for bundle in house.store.planned_bundles(row.id)? {
        stop.between_pages(0)?;
        if house.store.has_moved(row)? {
            break;
        }
        let Some(plan) = plan_again(house, sender, &bundle)? else {
            tracing::info!(bundle = %bundle.id, "planned under other settings: planned anew");
            house.store.give_up_plan(&bundle)?;
            continue;
        };
        match compose(house, sender, row, &bundle, &plan, letters) {
            Err(Error::Compose(print::Error::Letter { message, refusal })) => {
                let finding = not_composable(message, &refusal);
                house.store.hold_letter_of(&bundle, message, &finding)?;
            }
            other => other?,
        }
        settled += 1;
    }
    Ok(settled)
}

/// The plan of a bundle out of its rows; `None` where the settings have changed so much since that
/// it would come out as another bundle than the rows say.
fn plan_again(
    house: &House,
    sender: &SenderSettings,
    bundle: &BundleRow,
) -> Result<Option<BundlePlan>, Error> {
    let print_house = print_house(house, sender)?;
    if print_house.id != bundle.print_house {
        return Ok(None);
    }
    let in_order = envelopes(sender, house.store.bundle_messages(bundle.id)?);
    let plan = print::lay_out(in_order, &print_house.print).ok();
    Ok(plan.filter(|again| {
        plan::stored_group(&again.group) == bundle.group
            && (again.pages(), again.sheets()) == (bundle.pages, bundle.sheets)
    }))
}

/// Messages in the order of a bundle's pieces; those of one sequence lie in one envelope.
fn envelopes(sender: &SenderSettings, rows: Vec<MessageRow>) -> Vec<Contents> {
    let mut envelopes: Vec<Contents> = Vec::new();
    let mut sequence = None;
    for stored in rows {
        let goes_inside = stored.sequence == sequence;
        sequence = stored.sequence;
        let letter = letter(sender, stored);
        match envelopes.last_mut().filter(|_| goes_inside) {
            Some(envelope) => envelope.others.push(letter),
            None => envelopes.push(letter.into()),
        }
    }
    envelopes
}

fn compose(
    house: &House,
    sender: &SenderSettings,
    row: &BatchRow,
    bundle: &BundleRow,
    plan: &BundlePlan,
    letters: &Letters<'_>,
) -> Result<(), Error> {
    let settings = &house.print_house(&bundle.print_house)?.print;
    let identity = identity(sender, row, bundle);
    let mut pdf = house.store.spool().begin()?;
    let composed = print::compose(plan, &identity, settings, letters, &mut pdf, &|_| {});
    let composed = composed.map_err(Error::Compose)?;
    let work = Finished {
        bundle,
        plan,
        identity: &identity,
        settings,
        composed: &composed,
    };
    let files = work.files(house, pdf)?;
    let outgoing = NewOutgoing {
        batch: row.id,
        bundle: Some(bundle.id),
        kind: OutgoingKind::Bundle,
        place: if row.is_test {
            Place::TestShelf
        } else {
            Place::PrintHouse(bundle.print_house.clone())
        },
        files,
    };
    Ok(house
        .store
        .record_composed(bundle, &outgoing, house.clock.now())?)
}

/// A bundle whose PDF is written.
struct Finished<'a> {
    bundle: &'a BundleRow,
    plan: &'a BundlePlan,
    identity: &'a BundleIdentity,
    settings: &'a print::Settings,
    composed: &'a Composed,
}

impl Finished<'_> {
    /// The files of a bundle, spooled, the marker last.
    fn files(&self, house: &House, pdf: NewSpoolFile) -> Result<Vec<OutgoingFile>, Error> {
        let spool = house.store.spool();
        let pdf = self.keep("pdf", pdf)?;
        self.verify(spool, &pdf.file)?;
        let mut pieces = spool.begin()?;
        print::write_piece_list(self.plan, &mut pieces).map_err(Error::Compose)?;
        let pieces = self.keep("pieces.csv", pieces)?;
        let mut files = self.tickets(spool, &pdf.file, &pieces.file)?;
        let marker = self.keep("ok", spool.begin()?)?;
        files.splice(0..0, [pdf, pieces]);
        files.push(marker);
        Ok(files)
    }

    /// Reads the PDF back from the disk: what is not as planned goes no further, and leaves no file.
    fn verify(&self, spool: &Spool, pdf: &SpooledFile) -> Result<(), Error> {
        let written = spool.map(&pdf.key)?;
        let verified = print::verify(written.as_ref(), self.plan, self.identity, self.settings);
        match verified {
            Ok(verified) => {
                let (bundle, marks) = (self.bundle.id, verified.marks);
                tracing::debug!(%bundle, pages = verified.pages, marks, "read back as planned");
                Ok(())
            }
            Err(error) => {
                spool.remove(&pdf.key)?;
                Err(Error::Compose(error))
            }
        }
    }

    /// The job ticket and, where it is wanted, the one in XJDF before it.
    fn tickets(
        &self,
        spool: &Spool,
        pdf: &SpooledFile,
        pieces: &SpooledFile,
    ) -> Result<Vec<OutgoingFile>, Error> {
        let (pdf, pieces) = (self.digest("pdf", pdf), self.digest("pieces.csv", pieces));
        let mut ticket = JobTicket {
            plan: self.plan,
            identity: self.identity,
            settings: self.settings,
            composed: self.composed,
            pdf: &pdf,
            piece_list: &pieces,
            xjdf: None,
        };
        let mut files = Vec::new();
        let digest;
        if self.settings.xjdf {
            let mut out = spool.begin()?;
            print::write_xjdf(&ticket, &mut out).map_err(Error::Compose)?;
            let kept = self.keep("xjdf", out)?;
            digest = self.digest("xjdf", &kept.file);
            ticket.xjdf = Some(&digest);
            files.push(kept);
        }
        let mut out = spool.begin()?;
        print::write_job_ticket(&ticket, &mut out).map_err(Error::Compose)?;
        files.push(self.keep("job.xml", out)?);
        Ok(files)
    }

    fn keep(&self, ending: &str, file: NewSpoolFile) -> Result<OutgoingFile, Error> {
        let name = self.file_name(ending);
        Ok(OutgoingFile {
            path: format!("pickup/{}/{name}", self.bundle.id),
            file: file.keep(&SpoolKey::new("outgoing", name))?,
        })
    }

    fn digest(&self, ending: &str, file: &SpooledFile) -> FileDigest {
        FileDigest {
            name: self.file_name(ending),
            bytes: file.bytes,
            sha256: file.sha256.clone(),
        }
    }

    fn file_name(&self, ending: &str) -> String {
        format!("{}.{ending}", self.bundle.id)
    }
}

/// Everything about a bundle that is not its letters; times come from the plan, so that composing
/// again gives the same bytes.
fn identity(sender: &SenderSettings, row: &BatchRow, bundle: &BundleRow) -> BundleIdentity {
    BundleIdentity {
        bundle: bundle.id,
        sender: sender.id.clone(),
        return_address: sender.address_rows.clone(),
        print_house: bundle.print_house.clone(),
        created: bundle.planned_at,
        due: None,
        test: row.is_test,
        digest_key: DigestKey(digest_key(row, bundle)),
    }
}

/// Differs from bundle to bundle and cannot be known before the batch stands in the spool: it hangs
/// on the digest of the whole file, and on when it was planned.
fn digest_key(row: &BatchRow, bundle: &BundleRow) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("kuori bundle object digests");
    hasher.update(row.sha256.as_bytes());
    hasher.update(&bundle.id.0.to_be_bytes());
    hasher.update(&bundle.planned_at.as_nanosecond().to_be_bytes());
    *hasher.finalize().as_bytes()
}

/// A letter without a usable address goes to the sender's own, if routing decided so, behind a page
/// that shows it. One whose recipient wants letters of its matter elsewhere goes there, behind such a page
/// too. So does one behind a page of ours that shows no address itself.
///
/// A verifiable letter never shares an envelope. Nor does one that goes to the sender: its page in
/// front says what it is.
pub(super) fn letter(sender: &SenderSettings, stored: MessageRow) -> Letter {
    let to_sender = stored.reason == Some(Reason::AddressIncomplete);
    let message = stored.message;
    let is_ordinary = message.service == ServiceKind::Ordinary && !stored.registered;
    let recipient = match message.recipient.id {
        StatedRecipient::Valid(id) => Some(id),
        StatedRecipient::Absent | StatedRecipient::Invalid => None,
    };
    let elsewhere = stored.other_address.filter(|_| !to_sender);
    let has_page = sender.address_page || to_sender || elsewhere.is_some();
    let address = if to_sender {
        sender.own_address()
    } else {
        elsewhere.unwrap_or(message.recipient.address)
    };
    Letter {
        message: stored.id,
        pages: message.pages,
        address,
        recipient,
        subject: message.subject,
        postage: message.postage.unwrap_or(sender.postage),
        registered: stored.registered,
        colour: message.colour.unwrap_or(sender.colour),
        duplex: message.duplex.unwrap_or(sender.duplex),
        address_page: has_page || stored.facts.lacks_address,
        shares_envelope: sender.household && is_ordinary && !to_sender,
        facts: stored.facts,
    }
}
