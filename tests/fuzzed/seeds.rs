use std::{
    collections::HashSet,
    fs::{self, File},
    io::Write,
    path::Path,
};

use kuori::batch::{Archive, Limits};

use crate::committed::{files_below, in_repository};

/// A file that a target begins with.
pub(super) struct Seed {
    pub(super) target: &'static str,
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// The samples, and what is in them: ZIPs, control data and PDFs, each where it belongs.
pub(super) fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for path in samples("samples/batches") {
        let bytes = fs::read(in_repository(&path)).unwrap();
        take_apart(&path.replace('/', "-"), &bytes, &mut seeds);
    }
    let mut known = HashSet::new();
    seeds.retain(|seed| known.insert((seed.target, seed.bytes.clone())));
    seeds
}

/// The ZIPs of a folder and below it.
pub(super) fn samples(folder: &str) -> impl Iterator<Item = String> {
    let files = files_below(folder).into_iter();
    files.filter(|path| Path::new(path).extension().is_some_and(|end| end == "zip"))
}

fn take_apart(name: &str, bytes: &[u8], seeds: &mut Vec<Seed>) {
    let archive = Archive::open(bytes, &Limits::default());
    for entry in archive.iter().flat_map(Archive::entries) {
        let content = archive.as_ref().unwrap().read(&entry.name);
        let (Ok(content), Some((_, extension))) = (content, entry.name.rsplit_once('.')) else {
            continue;
        };
        let name = format!("{name}-{}", entry.name.replace('/', "-"));
        let mut seed = |target| {
            seeds.push(Seed {
                target,
                name: name.clone(),
                bytes: content.to_vec(),
            });
        };
        match extension {
            "zip" => take_apart(&name, &content, seeds),
            "xml" => seed("letter_bundle"),
            "csv" => seed("batch_csv"),
            "pdf" => seed("pdf"),
            _ => {}
        }
    }
    for target in ["archive", "batch"] {
        seeds.push(Seed {
            target,
            name: name.to_owned(),
            bytes: bytes.to_vec(),
        });
    }
}

/// `KUORI_SEED=1 cargo test --test kuori seeds` writes them to `fuzz/corpus/`.
#[test]
fn every_target_has_seeds() {
    let seeds = seeds();
    for (target, _) in super::invariants::TARGETS {
        let found = seeds.iter().filter(|seed| seed.target == target);
        assert!(found.count() >= 5, "{target}");
    }
    if std::env::var_os("KUORI_SEED").is_some() {
        seeds.iter().for_each(write);
    }
}

fn write(seed: &Seed) {
    let folder = in_repository("fuzz/corpus").join(seed.target);
    fs::create_dir_all(&folder).unwrap();
    let mut file = File::create(folder.join(&seed.name)).unwrap();
    file.write_all(&seed.bytes).unwrap();
}
