use std::io::{self, BufWriter, Seek, Write};

use zip::{ZipWriter, write::SimpleFileOptions};

/// A batch of so many letters of a page each, all in one PDF; its pages are blank.
pub(crate) fn zip(letters: u32, out: impl Write + Seek) {
    let mut zip = ZipWriter::new(out);
    let options = SimpleFileOptions::default().large_file(true);
    zip.start_file("letters.pdf", options).unwrap();
    pdf(letters, BufWriter::new(&mut zip)).unwrap();
    zip.start_file("letters.xml", options).unwrap();
    control_data(letters, BufWriter::new(&mut zip)).unwrap();
    zip.finish().unwrap();
}

/// Two objects a page, as the plainest of programs writes them.
fn pdf(pages: u32, out: impl Write) -> io::Result<()> {
    let (mut out, mut objects) = (Counted { out, bytes: 0 }, Vec::new());
    writeln!(out, "%PDF-1.4")?;
    let mut object = |out: &mut Counted<_>, number: u32, content: &str| {
        objects.push(out.bytes);
        writeln!(out, "{number} 0 obj\n{content}\nendobj")
    };
    object(&mut out, 1, "<< /Type /Catalog /Pages 2 0 R >>")?;
    let kids: Vec<_> = (0..pages)
        .map(|page| format!("{} 0 R", 3 + 2 * page))
        .collect();
    let kids = kids.join(" ");
    let root =
        format!("<< /Type /Pages /Count {pages} /MediaBox [0 0 595.28 841.89] /Kids [{kids}] >>");
    object(&mut out, 2, &root)?;
    for page in 0..pages {
        let (number, content) = (3 + 2 * page, 4 + 2 * page);
        let dictionary =
            format!("<< /Type /Page /Parent 2 0 R /Resources << >> /Contents {content} 0 R >>");
        object(&mut out, number, &dictionary)?;
        object(
            &mut out,
            content,
            "<< /Length 4 >>\nstream\nq Q \nendstream",
        )?;
    }
    let (start, size) = (out.bytes, objects.len() + 1);
    write!(out, "xref\n0 {size}\n0000000000 65535 f \n")?;
    for offset in objects {
        writeln!(out, "{offset:010} 00000 n ")?;
    }
    write!(
        out,
        "trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    )?;
    out.flush()
}

/// The identity code is an artificial one, the same for all.
fn control_data(letters: u32, mut out: impl Write) -> io::Result<()> {
    out.write_all(HEAD.as_bytes())?;
    for page in 1..=letters {
        write!(
            out,
            r#"    <Letter senderLetterId="L-{page}">
      <LetterMeta>
        <Location startPage="{page}" pages="1"/>
        <Recipient SSN="010190-999W">
          <Address><Eu1 name="Maija Mallikas" address="Mallikatu 1 A 1" postalCode="00100" city="HELSINKI" countryCode="FI"/></Address>
        </Recipient>
      </LetterMeta>
      <LetterDetails><Subject text="Esimerkkikirje"/></LetterDetails>
    </Letter>
"#
        )?;
    }
    out.write_all(b"  </Bundle>\n</LetterBundle>\n")?;
    out.flush()
}

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<LetterBundle xmlns="urn:itella.com:/schema/ipost/letterbundle/v1x0" schemaVersion="v1x0">
  <Bundle>
    <BundleCommon isTest="false"><ExternalFile fileName="letters.pdf"/></BundleCommon>
"#;

struct Counted<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.out.write(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
