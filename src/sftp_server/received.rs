use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

/// Length of a packet's length field.
const LENGTH_BYTES: usize = 4;

/// Least size of a block of what waits.
const BLOCK_BYTES: usize = 64 * 1024;

/// What a client sent and was not worked on yet.
///
/// What the next packet needs lies in one piece. What waits behind it lies in blocks: one piece
/// that doubles takes up twice what it holds, and large pieces that come and go, of many sessions
/// in many threads, stay with the allocator.
#[derive(Debug)]
pub(super) struct Received {
    next: BytesMut,
    /// Bytes of a packet and its length field at most.
    max_next: usize,
    later: VecDeque<BytesMut>,
    later_bytes: usize,
}

impl Received {
    pub(super) fn new(max_packet_bytes: usize) -> Self {
        Self {
            next: BytesMut::new(),
            max_next: LENGTH_BYTES + max_packet_bytes,
            later: VecDeque::new(),
            later_bytes: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.next.len() + self.later_bytes
    }

    pub(super) fn push(&mut self, data: &[u8]) {
        if self.later.is_empty() && self.next.len() < self.max_next {
            self.next.extend_from_slice(data);
            return;
        }
        self.later_bytes += data.len();
        match self.later.back_mut() {
            Some(block) if block.capacity() - block.len() >= data.len() => {
                block.extend_from_slice(data);
            }
            _ => {
                let mut block = BytesMut::with_capacity(BLOCK_BYTES.max(data.len()));
                block.extend_from_slice(data);
                self.later.push_back(block);
            }
        }
    }

    /// The next packet's length as it is told, once that is here.
    pub(super) fn packet_length(&mut self) -> Option<usize> {
        self.fill();
        let length = self.next.first_chunk::<LENGTH_BYTES>()?;
        Some(u32::from_be_bytes(*length) as usize)
    }

    /// The next packet, of that length and without it, once it is here.
    pub(super) fn take_packet(&mut self, length: usize) -> Option<Bytes> {
        if self.next.len() < LENGTH_BYTES + length {
            return None;
        }
        self.next.advance(LENGTH_BYTES);
        Some(self.next.split_to(length).freeze())
    }

    fn fill(&mut self) {
        while self.next.len() < self.max_next
            && let Some(block) = self.later.pop_front()
        {
            self.later_bytes -= block.len();
            self.next.extend_from_slice(&block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(byte: u8, length: u32) -> Vec<u8> {
        let mut packet = length.to_be_bytes().to_vec();
        packet.resize(packet.len() + length as usize, byte);
        packet
    }

    fn packets(received: &mut Received) -> Vec<Bytes> {
        std::iter::from_fn(|| {
            let length = received.packet_length()?;
            received.take_packet(length)
        })
        .collect()
    }

    #[test]
    fn packets_come_out_as_they_went_in_however_they_were_cut() {
        let sent = [packet(1, 9), packet(2, 0), packet(3, 10), packet(4, 1)];
        let stream = sent.concat();
        for piece in 1..=stream.len() {
            let mut received = Received::new(10);
            stream.chunks(piece).for_each(|part| received.push(part));
            assert_eq!(received.len(), stream.len());
            let taken = packets(&mut received);
            let expected: Vec<_> = sent.iter().map(|packet| &packet[4..]).collect();
            assert_eq!(taken, expected, "{piece}");
            assert_eq!(received.len(), 0);
        }
    }

    #[test]
    fn what_waits_takes_up_little_more_than_its_bytes() {
        let mut received = Received::new(100);
        for _ in 0..100_000 {
            received.push(&[7; 40]);
        }
        assert_eq!(received.len(), 4_000_000);
        let room: usize = received.later.iter().map(BytesMut::capacity).sum();
        assert!(room < 4_100_000, "{room}");
    }
}
