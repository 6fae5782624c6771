/// A packet of SSH or SFTP, field by field: both spell strings and numbers alike.
#[derive(Clone)]
pub(crate) struct Packet(Vec<u8>);

impl Packet {
    pub(crate) fn empty() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn ssh(number: u8) -> Self {
        Self(vec![number])
    }

    /// A packet of SFTP begins with its type.
    pub(crate) fn sftp(kind: u8) -> Self {
        Self(vec![kind])
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn u32(self, number: u32) -> Self {
        self.raw(&number.to_be_bytes())
    }

    pub(crate) fn u64(self, number: u64) -> Self {
        self.raw(&number.to_be_bytes())
    }

    pub(crate) fn string(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.u32(u32::try_from(bytes.len()).unwrap()).raw(bytes)
    }

    pub(crate) fn payload(self) -> Vec<u8> {
        self.0
    }

    /// With the length that SFTP puts before a packet.
    pub(crate) fn framed(self) -> Vec<u8> {
        Self::empty().string(&self.0).payload()
    }
}
