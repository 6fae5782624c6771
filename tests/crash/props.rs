//! What a day is played with: the batches, made once for all days.

use std::{
    fs,
    io::{Cursor, Read, Write},
    path::PathBuf,
};

use tempfile::TempDir;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::program::Site;

/// Where a batch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// The folder of `example-city`.
    City,
    /// Its further inbox, where nothing may be changed.
    Portal,
    /// Somebody else's SFTP server.
    Town,
    /// The embedded SFTP server.
    Region,
    Parish,
    Area,
}

/// One batch and what `kuori sample` makes of it.
pub(super) struct Prop {
    pub(super) name: &'static str,
    pub(super) door: Door,
    letters: u32,
    options: &'static str,
}

const fn prop(name: &'static str, door: Door, letters: u32, options: &'static str) -> Prop {
    Prop {
        name,
        door,
        letters,
        options,
    }
}

pub(super) const PROPS: [Prop; 7] = [
    prop("city.zip", Door::City, 90, "--seed 1"),
    prop("portal.zip", Door::Portal, 20, "--seed 2 --shape csv"),
    prop(
        "town.zip",
        Door::Town,
        60,
        "--seed 3 --fault 3:page-too-few",
    ),
    prop(
        "region.zip",
        Door::Region,
        40,
        "--seed 4 --shape many-pairs",
    ),
    // The gate holds it, and it is called off.
    prop("parish.zip", Door::Parish, 10, "--seed 5"),
    // The gate holds it, it is approved, and set back while its bundles are at the door.
    prop("area.zip", Door::Area, 30, "--seed 6 --digital-share 0.2"),
    // No ZIP at all: refused, and set back.
    prop("broken.zip", Door::City, 0, ""),
];

/// A batch of the samples with a leaflet that cannot be printed: one of its letters is refused. Here
/// the other one has it too, and goes to a mailbox.
const LEAFLET: &str = "samples/batches/invalid/attachment-not-printable/leaflet.zip";
/// Of its first letter.
const RECIPIENT: &str = "010190Y900P";
/// What both letters bring along.
pub(super) const ATTACHED: &str = "esite.pdf";

pub(super) struct Props(TempDir);

impl Props {
    pub(super) fn make() -> Self {
        let props = Self(tempfile::tempdir().unwrap());
        let site = Site::new();
        let mut consents = Vec::new();
        for prop in &PROPS {
            if prop.letters == 0 {
                fs::write(props.path(prop.name), b"PK\x03\x04 cut off").unwrap();
                continue;
            }
            let (name, path) = (prop.name, props.path(prop.name));
            site.done(&format!(
                "sample {} --letters {} {} --consents {name}.csv",
                path.display(),
                prop.letters,
                prop.options
            ));
            let text = fs::read_to_string(site.path(&format!("{name}.csv"))).unwrap();
            let skipped = usize::from(!consents.is_empty());
            consents.extend(text.lines().skip(skipped).map(|line| format!("{line}\n")));
        }
        consents.push(format!("{RECIPIENT},granted,2026-01-01T00:00:00Z\n"));
        fs::write(props.path("consents.csv"), consents.concat()).unwrap();
        fs::write(props.path("leaflet.zip"), with_two_leaflets()).unwrap();
        props
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn with_two_leaflets() -> Vec<u8> {
    let leaflet = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(LEAFLET);
    let mut zip = ZipArchive::new(fs::File::open(leaflet).unwrap()).unwrap();
    let mut rewritten = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..zip.len() {
        let mut member = zip.by_index(index).unwrap();
        let mut content = Vec::new();
        member.read_to_end(&mut content).unwrap();
        let name = member.name().unwrap().into_owned();
        if name == "batch.csv" {
            let rows = String::from_utf8(content).unwrap();
            let both = rows.replace(",any,\n", &format!(",any,{ATTACHED}\n"));
            assert_ne!(both, rows);
            content = both.into_bytes();
        }
        let options = SimpleFileOptions::default();
        rewritten.start_file(name, options).unwrap();
        rewritten.write_all(&content).unwrap();
    }
    rewritten.finish().unwrap().into_inner()
}
