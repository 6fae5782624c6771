use std::{fmt::Write, fs::File, io, os::unix::fs::FileExt};

use sha2::{Digest, Sha256};

const READ_BYTES: usize = 256 * 1024;

/// The SHA-256 of a file while it is written in order; one that is not is read at the end.
#[derive(Clone)]
pub(super) struct RunningDigest {
    hash: Sha256,
    /// The bytes of the file that are in the hash, or `None` where it is of no use any more.
    taken: Option<u64>,
}

impl RunningDigest {
    /// Of a file that has `bytes` already.
    pub(super) fn of_file_with(bytes: u64) -> Self {
        Self {
            hash: Sha256::new(),
            taken: (bytes == 0).then_some(0),
        }
    }

    pub(super) fn wrote(&mut self, offset: u64, data: &[u8]) {
        if self.taken == Some(offset) {
            self.hash.update(data);
            self.taken = Some(offset + data.len() as u64);
        } else {
            self.taken = None;
        }
    }

    pub(super) fn was_cut_to(&mut self, bytes: u64) {
        if self.taken != Some(bytes) {
            *self = Self::of_file_with(bytes);
        }
    }

    /// In hex.
    pub(super) fn finish(self, file: &File, bytes: u64) -> io::Result<String> {
        let hash = match self.taken {
            Some(taken) if taken == bytes => self.hash,
            Some(_) | None => hash_of(file)?,
        };
        let mut text = String::new();
        for byte in hash.finalize() {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(text)
    }
}

fn hash_of(file: &File) -> io::Result<Sha256> {
    let (mut hash, mut at) = (Sha256::new(), 0);
    let mut space = vec![0; READ_BYTES];
    loop {
        match file.read_at(&mut space, at) {
            Ok(0) => return Ok(hash),
            Ok(read) => {
                hash.update(space.get(..read).unwrap_or_default());
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn digest_of(writes: &[(u64, &[u8])]) -> String {
        let file = tempfile::tempfile().unwrap();
        let mut digest = RunningDigest::of_file_with(0);
        for (offset, data) in writes {
            file.write_all_at(data, *offset).unwrap();
            digest.wrote(*offset, data);
        }
        let bytes = file.metadata().unwrap().len();
        digest.finish(&file, bytes).unwrap()
    }

    #[test]
    fn the_order_of_the_writes_does_not_matter() {
        assert_eq!(digest_of(&[(0, b"ab"), (2, b"c")]), ABC);
        assert_eq!(digest_of(&[(2, b"c"), (0, b"ab")]), ABC);
        assert_eq!(digest_of(&[(0, b"xbc"), (0, b"a")]), ABC);
    }

    #[test]
    fn what_was_cut_off_does_not_count() {
        let file = tempfile::tempfile().unwrap();
        let mut digest = RunningDigest::of_file_with(0);
        file.write_all_at(b"abcd", 0).unwrap();
        digest.wrote(0, b"abcd");
        file.set_len(3).unwrap();
        digest.was_cut_to(3);
        assert_eq!(digest.finish(&file, 3).unwrap(), ABC);
    }
}
