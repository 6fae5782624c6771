use std::{collections::HashMap, time::Duration};

use tokio::{
    sync::watch,
    task::{Id, JoinSet},
    time::sleep,
};

/// Between a panic and the next try: a bug that panics at once fills no log.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Tasks that go on until they are told to stop. A bug that makes one of them panic ends it: it is told,
/// and the task is begun again, for an inbox that nobody looks into would be noticed by its sender.
#[derive(Default)]
pub(super) struct Loops<'a> {
    tasks: JoinSet<()>,
    begun: HashMap<Id, (&'static str, Begin<'a>)>,
}

type Begin<'a> = Box<dyn Fn(&mut JoinSet<()>) -> Id + Send + 'a>;

impl<'a> Loops<'a> {
    pub(super) fn begin<F>(&mut self, name: &'static str, make: impl Fn() -> F + Send + 'a)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.begin_with(name, Box::new(move |tasks| tasks.spawn(make()).id()));
    }

    /// Ends when all of them have ended by themselves.
    pub(super) async fn keep(mut self, mut stop: watch::Receiver<bool>) {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            let lost = match ended {
                Ok((id, ())) => {
                    self.begun.remove(&id);
                    continue;
                }
                Err(lost) => self.begun.remove(&lost.id()),
            };
            let Some((name, begin)) = lost else { continue };
            tracing::error!(
                name,
                "a bug in kuori: one of its loops panicked; it is begun again"
            );
            tokio::select! {
                () = sleep(AGAIN_AFTER) => self.begin_with(name, begin),
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
    }

    fn begin_with(&mut self, name: &'static str, begin: Begin<'a>) {
        let id = begin(&mut self.tasks);
        self.begun.insert(id, (name, begin));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[tokio::test]
    async fn a_loop_that_panics_is_begun_again_and_one_that_ends_is_not() {
        let (runs, ends) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let mut loops = Loops::default();
        loops.begin("panics once", || {
            let runs = Arc::clone(&runs);
            async move { assert!(runs.fetch_add(1, Ordering::SeqCst) > 0, "a bug") }
        });
        loops.begin("ends", || {
            let ends = Arc::clone(&ends);
            async move {
                ends.fetch_add(1, Ordering::SeqCst);
            }
        });
        let (_go_on, stop) = watch::channel(false);
        loops.keep(stop).await;
        let counted = (runs.load(Ordering::SeqCst), ends.load(Ordering::SeqCst));
        assert_eq!(counted, (2, 1));
    }

    #[tokio::test]
    async fn nothing_is_begun_again_once_all_is_to_stop() {
        let runs = Arc::new(AtomicU32::new(0));
        let mut loops = Loops::default();
        loops.begin("panics", || {
            let runs = Arc::clone(&runs);
            async move {
                runs.fetch_add(1, Ordering::SeqCst);
                panic!("a bug")
            }
        });
        let (_stopped, stop) = watch::channel(true);
        loops.keep(stop).await;
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }
}
