use std::io::{self, Write};

use super::{
    control_data::{Row, text},
    wording::Service,
};

const COLUMNS: [&str; 14] = [
    "letter_id",
    "recipient_id",
    "name",
    "address",
    "postal_code",
    "city",
    "country",
    "file",
    "start_page",
    "pages",
    "subject",
    "body",
    "service",
    "channel",
];

/// The text of the electronic message that goes with the PDF.
const BODY: &str = "Hei, liitteenä on kirje Esimerkkilän kaupungilta.";

/// Writes `batch.csv`: each row with the name of its PDF.
pub(super) fn write(
    rows: impl Iterator<Item = (String, Row)>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    for (file, row) in rows {
        csv.write_record(fields(&file, &row))?;
    }
    csv.flush()
}

fn fields(file: &str, row: &Row) -> [String; 14] {
    let address = &row.address;
    let service = match row.service {
        Service::Ordinary => "ordinary",
        Service::Verifiable => "verifiable",
    };
    [
        row.letter_id.clone(),
        row.id.clone().unwrap_or_default(),
        text(address.name.as_ref()).to_owned(),
        text(address.street.as_ref()).to_owned(),
        text(address.postal_code.as_ref()).to_owned(),
        text(address.city.as_ref()).to_owned(),
        address.country_or_home().to_string(),
        file.to_owned(),
        row.start_page.to_string(),
        row.pages.to_string(),
        row.subject.to_owned(),
        BODY.to_owned(),
        service.to_owned(),
        "any".to_owned(),
    ]
}
