use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use jiff::Timestamp;
use rustix::{
    fs::{
        AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat, fstat, fsync,
        linkat, mkdirat, openat, openat2, renameat_with, statat, unlinkat,
    },
    io::Errno,
};

use super::{
    Action, Error, FileDigest, Listing, ReadBack, RemoteFile, RemoteFolder, RemotePath, Uploaded,
    digest::{CHUNK_BYTES, DigestWriter},
};
use crate::crash_points::around;

/// A folder on this machine, or one that is mounted here.
///
/// Paths are resolved by the kernel below the folder, and a symbolic link in one is an error, as
/// the others who write here are not trusted more than those behind SFTP.
#[derive(Debug, Clone)]
pub struct DirectoryFolder {
    root: PathBuf,
}

impl DirectoryFolder {
    /// `root` has to be there when it is used, not yet now.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Runs `deed` where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        deed: impl FnOnce(Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let this = self.clone();
        match tokio::task::spawn_blocking(move || deed(this)).await {
            Ok(done) => done,
            Err(lost) => Err(Error::io(
                Action::Stat,
                &RemotePath::root(),
                io::Error::other(lost),
            )),
        }
    }

    fn open(&self, path: &RemotePath, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC;
        let root = openat(
            CWD,
            &self.root,
            OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        if path.is_root() {
            return Ok(root);
        }
        let within =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        openat2(root, path.as_str(), flags, Mode::empty(), within)
    }

    fn open_file(&self, path: &RemotePath) -> rustix::io::Result<File> {
        // NONBLOCK: a pipe that somebody put here must not hold us.
        let file = self.open(path, OFlags::RDONLY | OFlags::NONBLOCK)?;
        if is_file(&fstat(&file)?) {
            Ok(File::from(file))
        } else {
            Err(Errno::NOENT)
        }
    }

    fn open_parent<'p>(&self, path: &'p RemotePath) -> rustix::io::Result<(OwnedFd, &'p str)> {
        let name = path.name().ok_or(Errno::ISDIR)?;
        Ok((self.open(&path.parent(), OFlags::DIRECTORY)?, name))
    }

    fn list_now(&self, folder: &RemotePath) -> rustix::io::Result<Listing> {
        let mut dir = Dir::new(self.open(folder, OFlags::DIRECTORY)?)?;
        let mut listing = Listing::default();
        while let Some(entry) = dir.read() {
            let entry = entry?;
            let name = entry.file_name();
            // It may have been taken since the folder was read.
            let Ok(found) = statat(dir.fd()?, name, AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            if !is_file(&found) {
                continue;
            }
            match name.to_str() {
                Ok(usable) if folder.join(usable).is_ok() => {
                    listing.files.push(file(usable, &found));
                }
                _ => {
                    let shown = name.to_string_lossy().escape_debug().take(300).collect();
                    listing.odd_names.push(shown);
                }
            }
        }
        Ok(listing)
    }

    fn stat_now(&self, path: &RemotePath) -> rustix::io::Result<Option<RemoteFile>> {
        let Some(name) = path.name() else {
            return Ok(None);
        };
        match self.open(path, OFlags::PATH) {
            Ok(found) => {
                let found = fstat(found)?;
                Ok(is_file(&found).then(|| file(name, &found)))
            }
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn digest_now(&self, path: &RemotePath) -> io::Result<Option<FileDigest>> {
        match self.open_file(path) {
            Ok(file) => FileDigest::of(file).map(Some),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn upload_now(
        &self,
        local: &Path,
        to: &RemotePath,
        read_back: ReadBack,
    ) -> Result<Uploaded, Error> {
        let failed = |source: io::Error| Error::io(Action::Upload, to, source);
        let unreadable = |source| Error::Local {
            path: local.to_owned(),
            source,
        };
        if self.stat_now(to).map_err(|e| failed(e.into()))?.is_some() {
            let ours = File::open(local).and_then(FileDigest::of);
            let standing = self.same_file(to, ours.map_err(unreadable)?)?;
            // An earlier try may have ended between giving the name and taking the other one away.
            self.remove_temporary(to).map_err(|e| failed(e.into()))?;
            return Ok(standing);
        }
        let source = File::open(local).map_err(unreadable)?;
        let (parent, name) = self.open_parent(to).map_err(|e| failed(e.into()))?;
        let temporary = temporary_name(name);
        let written = around("write", "directory: upload", || {
            write_new(&parent, &temporary, source)
        });
        let digest = written.map_err(failed)?;
        if read_back == ReadBack::Digest {
            self.check_digest(&to.parent().join(&temporary)?, digest)?;
        }
        let renamed = around("rename", "directory: upload", || {
            rename_without_replacing(&parent, &temporary, &parent, name)
        });
        match renamed {
            Ok(()) => {
                sync_folder(&parent).map_err(|e| failed(e.into()))?;
                Ok(Uploaded {
                    digest,
                    was_there: false,
                })
            }
            Err(Errno::EXIST) => {
                remove(&parent, &temporary).map_err(|e| failed(e.into()))?;
                self.same_file(to, digest)
            }
            Err(error) => Err(failed(error.into())),
        }
    }

    fn remove_temporary(&self, to: &RemotePath) -> rustix::io::Result<()> {
        let (parent, name) = self.open_parent(to)?;
        match remove(&parent, &temporary_name(name)) {
            Err(Errno::NOENT) => Ok(()),
            removed => removed,
        }
    }

    fn check_digest(&self, temporary: &RemotePath, sent: FileDigest) -> Result<(), Error> {
        let found = self.digest_now(temporary);
        let found = found.map_err(|source| Error::io(Action::Upload, temporary, source))?;
        if found == Some(sent) {
            Ok(())
        } else {
            Err(Error::DigestDiffers {
                path: temporary.clone(),
            })
        }
    }

    /// Somebody was faster, or an earlier try of ours: what stands there decides.
    fn same_file(&self, to: &RemotePath, digest: FileDigest) -> Result<Uploaded, Error> {
        let standing = self.digest_now(to);
        let standing = standing.map_err(|source| Error::io(Action::Upload, to, source))?;
        match standing {
            Some(standing) if standing == digest => Ok(Uploaded {
                digest,
                was_there: true,
            }),
            // Whoever it is for took it a moment ago: nothing stands in the way of another try.
            None if !self.is_name_taken(to) => Err(Error::Missing {
                action: Action::Upload,
                path: to.clone(),
            }),
            _ => Err(Error::Taken { path: to.clone() }),
        }
    }

    /// By whatever: a file, a folder, a link to nowhere.
    fn is_name_taken(&self, path: &RemotePath) -> bool {
        let parent = self.open_parent(path);
        parent.is_ok_and(|(parent, name)| statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).is_ok())
    }

    fn rename_now(&self, from: &RemotePath, to: &RemotePath) -> rustix::io::Result<()> {
        let (source, old) = self.open_parent(from)?;
        let (target, new) = self.open_parent(to)?;
        around("rename", "directory: rename", || {
            rename_without_replacing(&source, old, &target, new)
        })?;
        sync_folder(&source)?;
        sync_folder(&target)
    }

    fn remove_now(&self, path: &RemotePath) -> rustix::io::Result<()> {
        let (parent, name) = self.open_parent(path)?;
        remove(&parent, name)?;
        sync_folder(&parent)
    }

    fn make_dir_now(&self, path: &RemotePath) -> rustix::io::Result<()> {
        let (parent, name) = self.open_parent(path)?;
        let mode = Mode::RWXU | Mode::RGRP | Mode::XGRP;
        match around("write", "directory: make a folder", || {
            mkdirat(&parent, name, mode)
        }) {
            Ok(()) => sync_folder(&parent),
            Err(Errno::EXIST) => self.open(path, OFlags::DIRECTORY).map(drop),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl RemoteFolder for DirectoryFolder {
    async fn list(&self, folder: &RemotePath) -> Result<Listing, Error> {
        let folder = folder.clone();
        self.blocking(move |this| {
            let listed = this.list_now(&folder);
            listed.map_err(|error| Error::io(Action::List, &folder, error.into()))
        })
        .await
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, Error> {
        let path = path.clone();
        self.blocking(move |this| {
            let found = this.stat_now(&path);
            found.map_err(|error| Error::io(Action::Stat, &path, error.into()))
        })
        .await
    }

    async fn read_from(
        &self,
        path: &RemotePath,
        offset: u64,
        to: &mut (dyn Write + Send),
    ) -> Result<u64, Error> {
        let failed = |source: io::Error| Error::io(Action::Download, path, source);
        let mut file = self.open_file(path).map_err(|e| failed(e.into()))?;
        let found = file.metadata().map_err(failed)?.len();
        if offset > found {
            return Err(Error::SizeDiffers {
                path: path.clone(),
                expected: offset,
                found,
            });
        }
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let mut bytes = 0;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = file.read(&mut chunk).map_err(failed)?;
            let data = chunk.get(..read).unwrap_or_default();
            if data.is_empty() {
                break;
            }
            to.write_all(data).map_err(|source| Error::Write {
                path: path.clone(),
                source,
            })?;
            bytes += data.len() as u64;
            // `to` cannot go to another thread; between chunks others get their turn.
            tokio::task::yield_now().await;
        }
        Ok(bytes)
    }

    async fn upload(
        &self,
        from: &Path,
        to: &RemotePath,
        read_back: ReadBack,
    ) -> Result<Uploaded, Error> {
        let (from, to) = (from.to_owned(), to.clone());
        self.blocking(move |this| this.upload_now(&from, &to, read_back))
            .await
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath) -> Result<(), Error> {
        let (from, to) = (from.clone(), to.clone());
        self.blocking(move |this| match this.rename_now(&from, &to) {
            Err(Errno::EXIST) => Err(Error::Taken { path: to }),
            renamed => renamed.map_err(|error| Error::io(Action::Rename, &from, error.into())),
        })
        .await
    }

    async fn remove(&self, path: &RemotePath) -> Result<(), Error> {
        let path = path.clone();
        self.blocking(move |this| {
            let removed = this.remove_now(&path);
            removed.map_err(|error| Error::io(Action::Remove, &path, error.into()))
        })
        .await
    }

    async fn make_dir(&self, path: &RemotePath) -> Result<(), Error> {
        let path = path.clone();
        self.blocking(move |this| {
            let made = this.make_dir_now(&path);
            made.map_err(|error| Error::io(Action::MakeDir, &path, error.into()))
        })
        .await
    }

    async fn digest(&self, path: &RemotePath) -> Result<Option<FileDigest>, Error> {
        let path = path.clone();
        self.blocking(move |this| {
            let digest = this.digest_now(&path);
            digest.map_err(|source| Error::io(Action::Download, &path, source))
        })
        .await
    }
}

/// Always the same, so that the next try clears away what the last one left.
fn temporary_name(name: &str) -> String {
    format!(".{name}.part")
}

/// Writes a file that is not there yet, or clears away what an earlier try left of it, and syncs
/// it.
fn write_new(parent: &OwnedFd, name: &str, mut source: File) -> io::Result<FileDigest> {
    match remove(parent, name) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP;
    let file = File::from(openat(parent, name, flags, mode)?);
    let mut writer = DigestWriter::new(&file);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = source.read(&mut chunk)?;
        let data = chunk.get(..read).unwrap_or_default();
        if data.is_empty() {
            break;
        }
        writer.write_all(data)?;
    }
    let digest = writer.finish();
    around("sync", "directory: upload", || file.sync_all())?;
    if file.metadata()?.len() == digest.bytes {
        Ok(digest)
    } else {
        Err(io::Error::other(
            "the file has another size than was written",
        ))
    }
}

fn remove(folder: &OwnedFd, name: &str) -> rustix::io::Result<()> {
    around("remove", "directory: remove", || {
        unlinkat(folder, name, AtFlags::empty())
    })
}

fn sync_folder(folder: &OwnedFd) -> rustix::io::Result<()> {
    around("sync", "directory: folder", || fsync(folder))
}

fn rename_without_replacing(
    source: impl AsFd,
    old: &str,
    target: impl AsFd,
    new: &str,
) -> rustix::io::Result<()> {
    match renameat_with(&source, old, &target, new, RenameFlags::NOREPLACE) {
        // Some network file systems lack the flag; a link does not replace either.
        Err(Errno::INVAL) => {
            linkat(&source, old, &target, new, AtFlags::empty())?;
            unlinkat(source, old, AtFlags::empty())
        }
        renamed => renamed,
    }
}

fn is_file(found: &Stat) -> bool {
    FileType::from_raw_mode(found.st_mode) == FileType::RegularFile
}

fn file(name: &str, found: &Stat) -> RemoteFile {
    RemoteFile {
        name: name.to_owned(),
        bytes: u64::try_from(found.st_size).unwrap_or(0),
        modified: Timestamp::from_second(found.st_mtime).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_taken_before_it_could_be_compared_is_not_in_the_way() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DirectoryFolder::new(dir.path().to_owned());
        let to: RemotePath = "P-0001.ok".parse().unwrap();
        let digest = FileDigest::of(&b""[..]).unwrap();
        let gone = folder.same_file(&to, digest);
        assert!(matches!(gone, Err(Error::Missing { .. })), "{gone:?}");
        let there = dir.path().join("P-0001.ok");
        std::os::unix::fs::symlink("nowhere", &there).unwrap();
        let link = folder.same_file(&to, digest);
        assert!(matches!(link, Err(Error::Taken { .. })), "{link:?}");
        std::fs::remove_file(&there).unwrap();
        let mut another = File::create(&there).unwrap();
        another.write_all(b"another").unwrap();
        let other = folder.same_file(&to, digest);
        assert!(matches!(other, Err(Error::Taken { .. })), "{other:?}");
    }
}
