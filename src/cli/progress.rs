use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// What is done faster than this needs no bar.
const PATIENCE: Duration = Duration::from_millis(250);

/// How often it is drawn anew while nothing is reached.
const TICK: Duration = Duration::from_millis(100);

/// A progress bar that appears after a quarter of a second, and only on a terminal.
pub(super) struct Progress {
    /// 0 where the end is not known: then it is a count.
    length: AtomicU64,
    unit: &'static str,
    is_watched: bool,
    started: Instant,
    bar: OnceLock<ProgressBar>,
}

impl Progress {
    pub(super) fn new(length: u64, unit: &'static str, is_watched: bool) -> Self {
        Self {
            length: AtomicU64::new(length),
            unit,
            is_watched,
            started: Instant::now(),
            bar: OnceLock::new(),
        }
    }

    /// `done` counts from the beginning.
    pub(super) fn reach(&self, done: u64) {
        self.wait();
        if let Some(bar) = self.bar.get() {
            bar.set_position(done);
        }
    }

    /// Shows that there is work, of which nothing is done yet.
    pub(super) fn wait(&self) {
        if self.is_watched && self.started.elapsed() >= PATIENCE {
            self.bar.get_or_init(|| self.draw());
        }
    }

    /// It is known by now how many there will be.
    pub(super) fn expect(&self, length: u64) {
        self.length.store(length, Ordering::Relaxed);
        if let Some(bar) = self.bar.get() {
            self.style(bar);
        }
    }

    fn draw(&self) -> ProgressBar {
        let bar = ProgressBar::no_length().with_message(self.unit);
        self.style(&bar);
        bar.enable_steady_tick(TICK);
        bar
    }

    fn style(&self, bar: &ProgressBar) {
        let template = match self.length.load(Ordering::Relaxed) {
            0 => "{spinner} {human_pos} {msg}",
            length => {
                bar.set_length(length);
                "{bar:30} {human_pos} of {human_len} {msg}, {eta} left"
            }
        };
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(ago: Duration, is_watched: bool) -> Progress {
        let mut progress = Progress::new(0, "letters", is_watched);
        progress.started = progress.started.checked_sub(ago).unwrap();
        progress
    }

    #[test]
    fn a_bar_is_drawn_for_somebody_who_has_waited_for_a_quarter_of_a_second() {
        for (ago, is_watched, is_drawn) in [
            (PATIENCE, true, true),
            (Duration::ZERO, true, false),
            (PATIENCE * 100, false, false),
        ] {
            let progress = begun(ago, is_watched);
            progress.reach(1);
            assert_eq!(progress.bar.get().is_some(), is_drawn, "{ago:?}");
        }
    }

    #[test]
    fn a_count_becomes_a_bar_once_the_end_is_known() {
        let progress = begun(PATIENCE, true);
        progress.reach(3);
        let length = || progress.bar.get().unwrap().length();
        assert_eq!(length(), None);
        progress.expect(9);
        assert_eq!(length(), Some(9));
    }
}
