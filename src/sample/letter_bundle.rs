use std::{
    fmt::Write as _,
    io::{self, Write},
};

use quick_xml::escape::escape;

use super::{
    Encoding, Spec, Version,
    control_data::{Row, text},
};

/// Writes `LetterBundle` XML for letters that all stand in the PDF `file`.
///
/// Elements and attributes are those that real senders write. The newer version has a default
/// namespace, the older one a prefix, since both habits exist.
pub(super) fn write(
    spec: &Spec,
    file: &str,
    rows: impl Iterator<Item = Row>,
    out: &mut impl Write,
) -> io::Result<()> {
    let p = prefix(spec.version);
    out.write_all(&encoded(spec.encoding, &head(spec, file)))?;
    for row in rows {
        out.write_all(&encoded(spec.encoding, &letter(p, &row)))?;
    }
    let tail = format!("  </{p}Bundle>\n</{p}LetterBundle>\n");
    out.write_all(&encoded(spec.encoding, &tail))
}

fn prefix(version: Version) -> &'static str {
    match version {
        Version::V1x0 => "",
        Version::V0x4 => "lb:",
    }
}

fn head(spec: &Spec, file: &str) -> String {
    let p = prefix(spec.version);
    let encoding = match spec.encoding {
        Encoding::Utf8 => "UTF-8",
        Encoding::Latin1 => "ISO-8859-1",
    };
    let (namespace, version) = match spec.version {
        Version::V1x0 => (
            "xmlns=\"urn:itella.com:/schema/ipost/letterbundle/v1x0\"",
            "v1x0",
        ),
        Version::V0x4 => ("xmlns:lb=\"urn:itella-letterbundle-v0x4\"", "v0x4"),
    };
    format!(
        r#"<?xml version="1.0" encoding="{encoding}"?>
<{p}LetterBundle {namespace} schemaVersion="{version}">
  <{p}Bundle senderBundleId="S-{seed}">
    <{p}BundleCommon isTest="{is_test}">
      <{p}Sender companyName="Esimerkkilän kaupunki" contact="Asiakaspalvelu" email="kirjaamo@esimerkkila.example" ovtID="003712345671"/>
      <{p}StdBundleProcessing customerId="000000" password="none" serviceFunction="0" electronicArchiving="T" letterClass="2" envelope="S" paper="0" fileFormat="0" isDuplex="true" departmentClassification="false"/>
      <{p}DeliveryChannelControl denyElectronicCopyDelivery="false" denyElectronicOnlyDelivery="false"/>
      <{p}ExternalFile fileName="{file}" senderFileId="S-{seed}"/>
    </{p}BundleCommon>
"#,
        seed = spec.seed,
        is_test = spec.is_test,
        file = escape(file),
    )
}

fn letter(p: &str, row: &Row) -> String {
    let address = &row.address;
    let mut xml = format!(
        r#"    <{p}Letter senderLetterId="{id}">
      <{p}LetterMeta>
        <{p}Location startPage="{start}" pages="{pages}"/>
        <{p}Recipient SSN="{code}">
          <{p}Address>
            <{p}Eu1 name="{name}" address="{street}""#,
        id = escape(&row.letter_id),
        start = row.start_page,
        pages = row.pages,
        code = row.id.as_deref().unwrap_or("N/A"),
        name = escape(text(address.name.as_ref())),
        street = escape(text(address.street.as_ref())),
    );
    // Writing to a String cannot fail.
    let _ = write!(
        xml,
        r#" postalCode="{postal_code}" city="{city}" countryCode="{country}"/>
          </{p}Address>
        </{p}Recipient>
      </{p}LetterMeta>
      <{p}LetterDetails>
        <{p}Subject text="{subject}"/>
      </{p}LetterDetails>
    </{p}Letter>
"#,
        postal_code = escape(text(address.postal_code.as_ref())),
        city = escape(text(address.city.as_ref())),
        country = address.country_or_home(),
        subject = escape(row.subject),
    );
    xml
}

/// The text in the bytes of the encoding; what ISO-8859-1 lacks becomes a character reference.
fn encoded(encoding: Encoding, text: &str) -> Vec<u8> {
    match encoding {
        Encoding::Utf8 => text.as_bytes().to_vec(),
        Encoding::Latin1 => text.chars().flat_map(latin1).collect(),
    }
}

fn latin1(character: char) -> Vec<u8> {
    let reference = || format!("&#{};", character as u32).into_bytes();
    u8::try_from(character).map_or_else(|_| reference(), |byte| vec![byte])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin1_is_one_byte_a_letter_and_a_reference_for_the_rest() {
        assert_eq!(encoded(Encoding::Latin1, "ÄÖ €"), b"\xc4\xd6 &#8364;");
        assert_eq!(encoded(Encoding::Utf8, "Ä"), "Ä".as_bytes());
    }
}
