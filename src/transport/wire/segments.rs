use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use super::SftpFailure;

/// Bytes in the pieces that they came in: what was received is not copied together.
#[derive(Debug, Default)]
pub(in crate::transport) struct Segments {
    parts: VecDeque<Bytes>,
    len: usize,
}

impl Segments {
    pub(super) fn push(&mut self, part: Bytes) {
        if !part.is_empty() {
            self.len += part.len();
            self.parts.push_back(part);
        }
    }

    pub(in crate::transport) fn len(&self) -> usize {
        self.len
    }

    pub(in crate::transport) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The pieces, in order.
    pub(in crate::transport) fn parts(&self) -> impl Iterator<Item = &Bytes> {
        self.parts.iter()
    }

    pub(in crate::transport) fn u8(&mut self) -> Result<u8, SftpFailure> {
        self.has(1)?;
        Ok(self.get_u8())
    }

    pub(in crate::transport) fn u32(&mut self) -> Result<u32, SftpFailure> {
        self.has(4)?;
        Ok(self.get_u32())
    }

    pub(in crate::transport) fn u64(&mut self) -> Result<u64, SftpFailure> {
        self.has(8)?;
        Ok(self.get_u64())
    }

    /// A string of the protocol: four bytes that tell its length, and its bytes.
    pub(in crate::transport) fn string(&mut self) -> Result<Bytes, SftpFailure> {
        let len = self.u32()? as usize;
        self.has(len)?;
        Ok(self.copy_to_bytes(len))
    }

    fn has(&self, bytes: usize) -> Result<(), SftpFailure> {
        if self.len >= bytes {
            Ok(())
        } else {
            Err(SftpFailure::Protocol {
                what: "a packet is shorter than what it tells",
            })
        }
    }

    fn split_off_front(&mut self, len: usize) -> Self {
        let mut front = Self::default();
        while front.len < len
            && let Some(mut part) = self.parts.pop_front()
        {
            let taken = part.split_to(part.len().min(len - front.len));
            self.len -= taken.len();
            front.push(taken);
            if !part.is_empty() {
                self.parts.push_front(part);
            }
        }
        front
    }
}

impl Buf for Segments {
    fn remaining(&self) -> usize {
        self.len
    }

    fn chunk(&self) -> &[u8] {
        self.parts.front().map_or(&[], |part| part)
    }

    fn advance(&mut self, count: usize) {
        drop(self.split_off_front(count));
    }

    fn copy_to_bytes(&mut self, len: usize) -> Bytes {
        match self.parts.front_mut() {
            Some(part) if part.len() >= len => {
                let taken = part.split_to(len);
                self.len -= len;
                if part.is_empty() {
                    self.parts.pop_front();
                }
                taken
            }
            _ => {
                let front = self.split_off_front(len);
                front.parts.iter().flat_map(|part| part.to_vec()).collect()
            }
        }
    }
}

/// Longest packet that is taken (as OpenSSH's client does).
const MAX_PACKET_BYTES: usize = 256 * 1024;

/// Cuts what is received into packets.
#[derive(Debug, Default)]
pub(super) struct Packets {
    received: Segments,
    /// Of the packet whose length was read already.
    awaited: Option<usize>,
}

impl Packets {
    pub(super) fn push(&mut self, part: Bytes) {
        self.received.push(part);
    }

    /// The next packet that is whole, without its length.
    pub(super) fn next(&mut self) -> Result<Option<Segments>, SftpFailure> {
        let len = match self.awaited {
            Some(len) => len,
            None if self.received.len < 4 => return Ok(None),
            None => self.received.u32()? as usize,
        };
        if len > MAX_PACKET_BYTES {
            return Err(SftpFailure::Protocol {
                what: "a packet is longer than 256 KiB",
            });
        }
        if self.received.len < len {
            self.awaited = Some(len);
            return Ok(None);
        }
        self.awaited = None;
        Ok(Some(self.received.split_off_front(len)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(packets: &mut Packets) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| packets.next().unwrap())
            .map(|packet| packet.parts().flat_map(|part| part.to_vec()).collect())
            .collect()
    }

    #[test]
    fn packets_are_cut_however_they_arrive() {
        let stream = [0, 0, 0, 2, 7, 8, 0, 0, 0, 0, 0, 0, 0, 1, 9];
        for piece in 1..=stream.len() {
            let mut packets = Packets::default();
            let mut seen = Vec::new();
            for part in stream.chunks(piece) {
                packets.push(Bytes::copy_from_slice(part));
                seen.extend(all(&mut packets));
            }
            assert_eq!(seen, [vec![7, 8], vec![], vec![9]], "{piece}");
        }
    }

    #[test]
    fn a_packet_has_256_kib_and_no_more() {
        let first = |len: usize| {
            let mut packets = Packets::default();
            packets.push(Bytes::from(
                u32::try_from(len).unwrap().to_be_bytes().to_vec(),
            ));
            packets.next().map(|_| ())
        };
        assert_eq!(first(MAX_PACKET_BYTES), Ok(()));
        assert!(first(MAX_PACKET_BYTES + 1).is_err());
    }

    #[test]
    fn a_string_may_be_parted_anywhere_but_not_too_short() {
        let mut two = Segments::default();
        two.push(Bytes::from_static(&[0, 0]));
        two.push(Bytes::from_static(&[0, 3, b'a']));
        two.push(Bytes::from_static(b"bcd"));
        assert_eq!(two.string().unwrap(), "abc");
        assert_eq!(two.len(), 1);
        assert!(two.string().is_err());
    }
}
