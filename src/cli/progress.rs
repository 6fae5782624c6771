use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// What is done faster than this needs no bar.
const PATIENCE: Duration = Duration::from_millis(250);

/// How often it is drawn anew while nothing is reached.
const TICK: Duration = Duration::from_millis(100);

/// A progress bar that appears after a quarter of a second, and only on a terminal.
pub(super) struct Progress {
    /// `None` where the end is not known: then it is a count.
    length: Option<u64>,
    unit: &'static str,
    is_watched: bool,
    started: Instant,
    bar: OnceLock<ProgressBar>,
}

impl Progress {
    pub(super) fn new(length: Option<u64>, unit: &'static str, is_watched: bool) -> Self {
        Self {
            length,
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

    fn draw(&self) -> ProgressBar {
        let (bar, template) = match self.length {
            Some(length) => (
                ProgressBar::new(length),
                "{bar:30} {human_pos} of {human_len} {msg}, {eta} left",
            ),
            None => (ProgressBar::no_length(), "{spinner} {human_pos} {msg}"),
        };
        let style = ProgressStyle::with_template(template);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = bar.with_message(self.unit).with_style(style);
        bar.enable_steady_tick(TICK);
        bar
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
        let mut progress = Progress::new(None, "letters", is_watched);
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
}
