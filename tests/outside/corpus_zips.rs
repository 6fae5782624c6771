//! Other people's ZIPs, the odder the better: each is refused, or Python reads the same files out
//! of it as we do. None stops us, none takes long, none fills the memory.

use std::{
    collections::BTreeMap,
    env,
    fmt::Write,
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use kuori::{
    batch::{Archive, Limits},
    domain::Finding,
};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::tools;

const LONGEST: Duration = Duration::from_secs(5);
/// Own memory of the whole test, whose limits allow two threads an entry each.
const MOST_BYTES: u64 = 256 << 20;

#[test]
#[ignore = "needs KUORI_CORPUS_ZIP and KUORI_PYTHON"]
fn every_zip_of_the_corpus_is_refused_or_read_as_python_reads_it() -> Result<(), env::VarError> {
    let files = files_below(Path::new(&env::var("KUORI_CORPUS_ZIP")?));
    let mut verdicts: Vec<_> = files.par_iter().map(|file| (judge(file), file)).collect();
    verdicts.sort();
    let mut counts = BTreeMap::new();
    for (verdict, file) in &verdicts {
        println!("{verdict:?} {}", file.display());
        *counts.entry(verdict).or_insert(0) += 1;
    }
    println!("{counts:#?}");
    let wrong = verdicts.iter().filter(|(verdict, _)| verdict.is_wrong());
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(counts.contains_key(&Verdict::Same));
    assert!(own_peak_bytes() < MOST_BYTES, "{}", own_peak_bytes());
    Ok(())
}

/// What came of one file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Same,
    /// The names are the same, and what was read; some entries were refused when they were read.
    SameInPart,
    Refused(&'static str),
    Differs(String),
    TookLong(Duration),
    Panicked,
}

impl Verdict {
    fn is_wrong(&self) -> bool {
        match self {
            Self::Same | Self::SameInPart | Self::Refused(_) => false,
            Self::Differs(_) | Self::TookLong(_) | Self::Panicked => true,
        }
    }
}

/// Names in their order, with the digest of the content where it can be read.
type Files = Vec<(String, Option<String>)>;

fn judge(file: &Path) -> Verdict {
    let bytes = fs::read(file).unwrap();
    let start = Instant::now();
    let ours = catch_unwind(|| ours(&bytes));
    let took = start.elapsed();
    let ours = match ours {
        Err(_) => return Verdict::Panicked,
        Ok(_) if took > LONGEST => return Verdict::TookLong(took),
        Ok(Err(findings)) => return Verdict::Refused(findings[0].code.as_str()),
        Ok(Ok(ours)) => ours,
    };
    let said = tools::python("read_zip.py", [file]);
    match serde_json::from_str::<Option<Files>>(&said).unwrap() {
        None => Verdict::Differs("Python refuses it".to_owned()),
        Some(theirs) => compare(&ours, &theirs),
    }
}

fn ours(bytes: &[u8]) -> Result<Files, Vec<Finding>> {
    let limits = Limits {
        max_document_bytes: 64 << 20,
        max_unpacked_bytes: 256 << 20,
        ..Limits::default()
    };
    let archive = Archive::open(bytes, &limits)?;
    let digest = |name: &str| {
        let content = archive.read(name).ok()?;
        let mut digest = String::new();
        for byte in Sha256::digest(&content) {
            write!(digest, "{byte:02x}").unwrap();
        }
        Some(digest)
    };
    let entries = archive.entries().iter();
    Ok(entries
        .map(|entry| (entry.name.clone(), digest(&entry.name)))
        .collect())
}

fn compare(ours: &Files, theirs: &Files) -> Verdict {
    let names = |files: &Files| {
        files
            .iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    if names(ours) != names(theirs) {
        return Verdict::Differs(format!("{:?} and {:?}", names(ours), names(theirs)));
    }
    let mut pairs = ours.iter().zip(theirs);
    let differs = pairs.find(|((_, ours), (_, theirs))| ours.is_some() && ours != theirs);
    if let Some(((name, _), _)) = differs {
        return Verdict::Differs(format!("the content of {name}"));
    }
    if ours.iter().all(|(_, digest)| digest.is_some()) {
        Verdict::Same
    } else {
        Verdict::SameInPart
    }
}

/// The largest that the process has been, less the files that it mapped (`proc(5)`).
fn own_peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kibibytes = line.unwrap().trim_matches([':', '\t', ' ', 'k', 'B']);
        kibibytes.parse::<u64>().unwrap() << 10
    };
    of("VmHWM") - of("RssFile")
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}
