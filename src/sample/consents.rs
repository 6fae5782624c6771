use std::io::Write;

use super::{
    Error, SampleRecipient, Spec,
    dice::{Dice, Purpose},
    recipients,
};

/// How many of those without a mailbox had one and withdrew.
const WITHDRAWN: f64 = 0.1;

/// Writes the register of consents that goes with a batch and gives the number of its rows.
///
/// The CSV is what `kuori consent import` takes: `recipient_id,status,since`, where the status is
/// `granted` for each recipient with a mailbox and `withdrawn` for some of the others, and `since`
/// is RFC 3339. Whoever has no row has never had a mailbox.
pub fn write_consents<W: Write>(spec: &Spec, since: jiff::Timestamp, out: W) -> Result<u32, Error> {
    spec.check()?;
    consents(spec, &since.to_string(), out).map_err(|source| Error::Consents { source })
}

fn consents<W: Write>(spec: &Spec, since: &str, out: W) -> Result<u32, csv::Error> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(["recipient_id", "status", "since"])?;
    let mut rows = 0;
    for recipient in recipients(spec) {
        if let (Some(id), Some(status)) = (&recipient.id, status(spec, &recipient)) {
            csv.write_record([id.expose(), status, since])?;
            rows += 1;
        }
    }
    csv.flush()?;
    Ok(rows)
}

fn status(spec: &Spec, recipient: &SampleRecipient) -> Option<&'static str> {
    if recipient.has_mailbox {
        return Some("granted");
    }
    let mut dice = Dice::new(spec.seed, recipient.position, Purpose::Consent);
    dice.happens(WITHDRAWN).then_some("withdrawn")
}
