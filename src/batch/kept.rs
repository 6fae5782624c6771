use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use super::SharedBytes;

/// Unpacked documents that stay until their archive is done, so that what is open may borrow them.
///
/// It only grows: nothing that was lent moves or goes.
#[derive(Default)]
pub(super) struct Kept {
    /// Each twice as long as the one before it.
    chunks: [OnceLock<Chunk>; CHUNKS],
    given: AtomicUsize,
}

type Chunk = Box<[OnceLock<SharedBytes>]>;

/// So many hold 16,383 documents. Each may be a mapped file, and of these a process has 65,530
/// (Linux, `vm.max_map_count`).
const CHUNKS: usize = 14;

impl Kept {
    /// `None` where there is no room left.
    pub(super) fn keep(&self, bytes: &SharedBytes) -> Option<&[u8]> {
        let place = self.given.fetch_add(1, Ordering::Relaxed) + 1;
        let chunk = place.ilog2();
        let length = 1_usize << chunk;
        let chunk = self.chunks.get(chunk as usize)?;
        let slots = chunk.get_or_init(|| (0..length).map(|_| OnceLock::new()).collect());
        let slot = slots.get(place - length)?;
        Some((**slot.get_or_init(|| Arc::clone(bytes))).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    #[test]
    fn what_is_kept_from_many_threads_is_lent_as_it_was() {
        let kept = Kept::default();
        let keep = |number: u32| {
            let bytes: SharedBytes = Arc::new(number.to_be_bytes().to_vec());
            (number, kept.keep(&bytes))
        };
        let told: Vec<_> = (0..20_000).into_par_iter().map(keep).collect();
        let (lent, refused): (Vec<_>, Vec<_>) =
            told.into_iter().partition(|(_, bytes)| bytes.is_some());
        assert_eq!((lent.len(), refused.len()), (16_383, 3_617));
        for (number, bytes) in lent {
            assert_eq!(bytes, Some(&number.to_be_bytes()[..]));
        }
    }
}
