use bytes::{Buf, Bytes};

/// `SSH_FXP_WRITE` (draft-ietf-secsh-filexfer-02, section 6.4), read here because the codec would
/// copy the data twice.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WriteRequest {
    pub(super) id: u32,
    pub(super) handle: Bytes,
    pub(super) offset: u64,
    pub(super) data: Bytes,
}

impl WriteRequest {
    pub(super) const KIND: u8 = 6;

    /// Reads what follows the type.
    pub(super) fn read(mut packet: Bytes) -> Option<Self> {
        Some(Self {
            id: packet.try_get_u32().ok()?,
            handle: string(&mut packet)?,
            offset: packet.try_get_u64().ok()?,
            data: string(&mut packet)?,
        })
    }

    /// A handle of ours is text; another one finds nothing.
    pub(super) fn handle(&self) -> &str {
        std::str::from_utf8(&self.handle).unwrap_or_default()
    }
}

fn string(packet: &mut Bytes) -> Option<Bytes> {
    let length = packet.try_get_u32().ok()? as usize;
    (packet.remaining() >= length).then(|| packet.split_to(length))
}

#[cfg(test)]
mod tests {
    use russh_sftp::protocol::{Packet, Write};

    use super::*;

    fn encoded() -> Bytes {
        let write = Write {
            id: 7,
            handle: "12".to_owned(),
            offset: 1 << 40,
            data: b"data".to_vec(),
        };
        let packet = Bytes::try_from(Packet::from(write)).unwrap();
        assert_eq!(packet[4], WriteRequest::KIND);
        packet.slice(5..)
    }

    #[test]
    fn it_is_what_the_codec_wrote() {
        let read = WriteRequest::read(encoded()).unwrap();
        assert_eq!((read.id, read.handle(), read.offset), (7, "12", 1 << 40));
        assert_eq!(read.data, b"data".as_slice());
    }

    #[test]
    fn no_part_of_it_will_do() {
        let whole = encoded();
        for length in 0..whole.len() {
            assert_eq!(WriteRequest::read(whole.slice(..length)), None, "{length}");
        }
    }
}
