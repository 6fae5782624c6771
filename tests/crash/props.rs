//! What a day is played with: the batches, made once for all days.

use std::{fs, path::PathBuf};

use tempfile::TempDir;

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

/// A batch of the samples with a leaflet that cannot be printed: one of its letters is refused.
const LEAFLET: &str = "samples/batches/invalid/attachment-not-printable/leaflet.zip";

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
        fs::write(props.path("consents.csv"), consents.concat()).unwrap();
        let leaflet = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(LEAFLET);
        fs::copy(leaflet, props.path("leaflet.zip")).unwrap();
        props
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
