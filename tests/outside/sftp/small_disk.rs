//! A disk that fills up.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use super::super::tools;

/// A file system of 16 MB; only root may mount one, and a test that cannot does not pass.
pub(crate) struct SmallDisk(pub(crate) PathBuf);

impl SmallDisk {
    pub(crate) fn mount() -> Self {
        Self::mount_at(tempfile::tempdir().unwrap().keep())
    }

    /// At a folder that is there.
    pub(crate) fn mount_at(folder: PathBuf) -> Self {
        let path = folder.to_str().unwrap();
        let as_root = if rustix::process::geteuid().is_root() {
            &["env"][..]
        } else {
            &["sudo", "-n"]
        };
        let words = [
            "mount",
            "-t",
            "tmpfs",
            "-o",
            "size=16m,mode=777",
            "tmpfs",
            path,
        ];
        let all = as_root.iter().copied().chain(words);
        let (is_mounted, said) = tools::attempt("env", all);
        assert!(is_mounted, "a small disk takes root to mount: {}", said.err);
        Self(folder)
    }

    /// Writes a file until not one more byte fits; returns its path.
    pub(crate) fn fill(&self) -> PathBuf {
        let path = self.0.join("full");
        let mut file = File::create(&path).unwrap();
        while file.write_all(&[7; 4096]).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        for program in [
            &["umount", "--lazy"][..],
            &["sudo", "-n", "umount", "--lazy"],
        ] {
            let words = program.iter().copied().map(Path::new);
            let (is_gone, _) = tools::attempt("env", words.chain([self.0.as_path()]));
            if is_gone {
                break;
            }
        }
        let _ = fs::remove_dir(&self.0);
    }
}
