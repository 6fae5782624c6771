use std::{
    fmt,
    io::{self, Read, Write},
};

use sha2::{Digest, Sha256};

/// Bytes of a file that are read at once.
pub(super) const CHUNK_BYTES: usize = 255 * 1024;

/// What a file holds, in 40 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileDigest {
    pub bytes: u64,
    pub sha256: [u8; 32],
}

impl FileDigest {
    /// SHA-256 in lower-case hex.
    pub fn sha256_hex(&self) -> String {
        self.sha256
            .iter()
            .fold(String::with_capacity(64), |hex, byte| {
                format!("{hex}{byte:02x}")
            })
    }

    pub(super) fn of(mut file: impl Read) -> io::Result<Self> {
        let mut sink = DigestWriter::new(io::sink());
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match file.read(&mut chunk) {
                Ok(0) => return Ok(sink.finish()),
                Ok(read) => sink.write_all(chunk.get(..read).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl fmt::Debug for FileDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, sha256 {}", self.bytes, self.sha256_hex())
    }
}

/// Passes on what is written, and digests it.
pub struct DigestWriter<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> DigestWriter<W> {
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            bytes: 0,
        }
    }

    pub fn finish(self) -> FileDigest {
        FileDigest {
            bytes: self.bytes,
            sha256: self.hash.finalize().into(),
        }
    }
}

impl<W: Write> Write for DigestWriter<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(data)?;
        self.hash.update(data.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
