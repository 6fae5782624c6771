use std::io::{Cursor, Write};

use zip::{ZipWriter, write::SimpleFileOptions};

/// A ZIP of so many small files, as a sender makes it that gives every letter a PDF of its own.
/// What is in them is not opened, and so of no matter.
pub(crate) fn zip(entries: u32) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..entries {
        let name = format!("kirjeet/2026-03/L-1-{number:06}.pdf");
        writer
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        writeln!(writer, "%PDF-1.7 number {number}").unwrap();
    }
    writer.finish().unwrap().into_inner()
}
