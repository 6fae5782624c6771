use std::{
    collections::VecDeque,
    io::{self, Read},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use rayon::Scope;

use super::blocks::{Blocks, Decoder, Fault};

/// Lets `work` read the control data while another thread of the pool unpacks what comes next.
///
/// Nobody waits for a thread that may never come: where no thread has begun the next block, the
/// reader unpacks it itself. So it does with a pool of one thread, or from inside a busy pool.
pub(super) fn read_ahead<R: Read + Send, T>(
    source: R,
    work: impl FnOnce(&mut dyn Blocks) -> T,
) -> T {
    let desk = Desk {
        state: Mutex::new(State {
            decoder: Some(Decoder::new(source)),
            ready: VecDeque::new(),
            spent: Vec::new(),
            is_called: false,
            has_ended: false,
        }),
        changed: Condvar::new(),
    };
    rayon::in_place_scope(|scope| work(&mut Ahead { desk: &desk, scope }))
}

/// Blocks that are unpacked and that nobody has taken: 4 MiB, some milliseconds of reading, so that
/// neither side waits for the other on a busy machine.
const MAX_READY: usize = 16;

/// The reader's side.
struct Ahead<'w, 'scope, R> {
    desk: &'scope Desk<R>,
    scope: &'w Scope<'scope>,
}

/// Where the two sides meet.
struct Desk<R> {
    state: Mutex<State<R>>,
    /// A block is ready, or the end is known.
    changed: Condvar,
}

struct State<R> {
    /// Away while somebody unpacks a block.
    decoder: Option<Decoder<R>>,
    ready: VecDeque<Result<String, Fault>>,
    spent: Vec<String>,
    /// Whether a thread was asked to unpack, and has not begun.
    is_called: bool,
    has_ended: bool,
}

impl<R: Read + Send> Blocks for Ahead<'_, '_, R> {
    fn next(&mut self, spent: String) -> Result<Option<String>, Fault> {
        let mut state = self.desk.lock();
        state.spent.push(spent);
        loop {
            if let Some(block) = state.ready.pop_front() {
                self.call(state);
                return block.map(Some);
            }
            if state.has_ended {
                return Ok(None);
            }
            let desk = self.desk;
            state = if let Some(decoder) = state.decoder.take() {
                desk.unpack(state, decoder)
            } else {
                let woken = desk.changed.wait(state);
                woken.unwrap_or_else(PoisonError::into_inner)
            };
        }
    }
}

impl<'scope, R: Read + Send> Ahead<'_, 'scope, R> {
    fn call(&self, mut state: MutexGuard<'_, State<R>>) {
        let is_needed = state.decoder.is_some() && !state.has_ended && !state.is_called;
        if is_needed && state.ready.len() <= MAX_READY / 2 {
            state.is_called = true;
            drop(state);
            let desk: &'scope Desk<R> = self.desk;
            self.scope.spawn(move |_| desk.fill());
        }
    }
}

impl<R: Read> Desk<R> {
    /// Unpacks blocks until enough are ready. Somebody else at it is as good.
    fn fill(&self) {
        let mut state = self.lock();
        state.is_called = false;
        while state.ready.len() < MAX_READY && !state.has_ended {
            let Some(decoder) = state.decoder.take() else {
                return;
            };
            state = self.unpack(state, decoder);
        }
    }

    fn unpack<'d>(
        &'d self,
        mut state: MutexGuard<'d, State<R>>,
        decoder: Decoder<R>,
    ) -> MutexGuard<'d, State<R>> {
        let spent = state.spent.pop().unwrap_or_default();
        drop(state);
        let mut turn = Turn {
            desk: self,
            decoder: Some(decoder),
            block: Err(Fault::Read(io::Error::other("unpacking was given up"))),
        };
        if let Some(decoder) = &mut turn.decoder {
            turn.block = decoder.next(spent);
        }
        drop(turn);
        self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One block's unpacking. Its end is told even where it ends in a panic: the reader waits for it.
struct Turn<'d, R> {
    desk: &'d Desk<R>,
    decoder: Option<Decoder<R>>,
    block: Result<Option<String>, Fault>,
}

impl<R> Drop for Turn<'_, R> {
    fn drop(&mut self) {
        let mut state = self
            .desk
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        state.decoder = self.decoder.take();
        match std::mem::replace(&mut self.block, Ok(None)) {
            Ok(Some(block)) => state.ready.push_back(Ok(block)),
            Ok(None) => state.has_ended = true,
            Err(fault) => {
                state.has_ended = true;
                state.ready.push_back(Err(fault));
            }
        }
        self.desk.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use rayon::{ThreadPoolBuilder, prelude::*};

    use super::*;
    use crate::batch::control::blocks::BLOCK_BYTES;

    fn read(text: &str) -> String {
        read_ahead(text.as_bytes(), |blocks| {
            let (mut read, mut spent) = (String::new(), String::new());
            while let Some(block) = blocks.next(spent).unwrap() {
                read += &block;
                spent = block;
            }
            read
        })
    }

    fn long() -> String {
        "<a b='1'/>\n".repeat(BLOCK_BYTES)
    }

    #[test]
    fn everything_is_read_in_order_whoever_unpacks_it() {
        let text = long();
        assert_eq!(read(&text), text);
        for threads in [1, 2] {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            assert_eq!(pool.unwrap().install(|| read(&text)), text, "{threads}");
        }
    }

    #[test]
    fn a_pool_whose_threads_all_read_does_not_stand_still() {
        let (text, pool) = (long(), ThreadPoolBuilder::new().num_threads(2).build());
        let lengths: Vec<usize> = pool.unwrap().install(|| {
            let readers = (0..8).into_par_iter();
            readers.map(|_| read(&text).len()).collect()
        });
        assert_eq!(lengths, [text.len(); 8]);
    }

    #[test]
    fn who_stops_reading_early_waits_for_nobody() {
        let text = long();
        let first = read_ahead(text.as_bytes(), |blocks| {
            blocks.next(String::new()).unwrap()
        });
        assert!(text.starts_with(&first.unwrap()));
    }

    #[test]
    fn a_fault_comes_after_the_text_before_it() {
        let text = [long().as_bytes(), b"\xE4"].concat();
        let blocks = read_ahead(text.as_slice(), |blocks| {
            let mut count = 0;
            loop {
                match blocks.next(String::new()) {
                    Ok(Some(block)) => count += block.len(),
                    Ok(None) => return Err(count),
                    Err(fault) => return Ok((count, matches!(fault, Fault::NotText))),
                }
            }
        });
        assert_eq!(blocks, Ok((text.len() - 1, true)));
    }

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("a bug")
        }
    }

    #[test]
    #[should_panic(expected = "a bug")]
    fn a_panic_while_unpacking_is_the_readers_too() {
        let chained = io::Read::chain(io::Cursor::new(long()), Broken);
        read_ahead(chained, |blocks| {
            while let Ok(Some(_)) = blocks.next(String::new()) {}
        });
    }
}
