use bytes::Bytes;
use russh_sftp::{
    de,
    extensions::HardlinkExtension,
    protocol::{Extended, Packet},
};

use super::{refusal::Refusal, reply, virtual_path::VirtualPath};

/// The names that something is under way for, in one session: what a client asks about a name is
/// done in the order in which it asked.
#[derive(Default)]
pub(super) struct Busy(Vec<VirtualPath>);

impl Busy {
    pub(super) fn add(&mut self, paths: &[VirtualPath]) {
        self.0.extend_from_slice(paths);
    }

    pub(super) fn remove(&mut self, paths: &[VirtualPath]) {
        for path in paths {
            let at = self.0.iter().position(|busy| busy == path);
            at.map(|at| self.0.swap_remove(at));
        }
    }

    /// Whether `request` is about one of them.
    pub(super) fn concerns(&self, request: &Packet) -> bool {
        if self.0.is_empty() {
            return false;
        }
        match request {
            Packet::Open(open) => self.has(&open.filename),
            Packet::Stat(stat) => self.has(&stat.path),
            Packet::Lstat(stat) => self.has(&stat.path),
            Packet::SetStat(set) => self.has(&set.path),
            Packet::Remove(remove) => self.has(&remove.filename),
            Packet::Rename(rename) => self.has(&rename.oldpath) || self.has(&rename.newpath),
            Packet::Extended(extended) if extended.request == reply::POSIX_RENAME => {
                two_paths(extended).is_ok_and(|(from, to)| self.has(&from) || self.has(&to))
            }
            // A folder shows its files, and goes with the last of them.
            Packet::OpenDir(_) | Packet::RmDir(_) => true,
            _ => false,
        }
    }

    fn has(&self, path: &str) -> bool {
        VirtualPath::parse(path).is_ok_and(|path| self.0.contains(&path))
    }
}

/// What `posix-rename@openssh.com` names; `hardlink@openssh.com` has the same form.
pub(super) fn two_paths(request: &Extended) -> Result<(String, String), Refusal> {
    let mut data = Bytes::from(request.data.clone());
    let paths: HardlinkExtension = de::from_bytes(&mut data)
        .map_err(|_| Refusal::Unsupported("the extension's data cannot be read"))?;
    Ok((paths.oldpath, paths.newpath))
}

#[cfg(test)]
mod tests {
    use russh_sftp::protocol::{OpenDir, Rename, Stat};

    use super::*;

    fn stat(path: &str) -> Packet {
        let path = path.to_owned();
        Packet::Stat(Stat { id: 1, path })
    }

    #[test]
    fn only_what_is_about_a_busy_name_waits_however_it_is_written() {
        let path = [VirtualPath::parse("inbox/a").unwrap()];
        let mut busy = Busy::default();
        busy.add(&path);
        assert!(busy.concerns(&stat("/inbox/./a")));
        assert!(!busy.concerns(&stat("inbox/b")));
        assert!(busy.concerns(&Packet::Rename(Rename {
            id: 1,
            oldpath: "inbox/b".to_owned(),
            newpath: "inbox/a".to_owned(),
        })));
        let path_of_folder = "receipts".to_owned();
        let listing = Packet::OpenDir(OpenDir {
            id: 1,
            path: path_of_folder,
        });
        assert!(busy.concerns(&listing));
        busy.remove(&path);
        assert!(!busy.concerns(&listing));
    }
}
