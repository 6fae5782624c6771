use std::{
    cell::OnceCell,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// What is done faster than this needs no bar.
const PATIENCE: Duration = Duration::from_millis(250);

/// A progress bar that appears after a quarter of a second, and only on a terminal.
pub(super) struct Progress {
    length: u64,
    unit: &'static str,
    is_watched: bool,
    started: Instant,
    bar: OnceCell<ProgressBar>,
}

impl Progress {
    pub(super) fn new(length: u64, unit: &'static str, is_watched: bool) -> Self {
        Self {
            length,
            unit,
            is_watched,
            started: Instant::now(),
            bar: OnceCell::new(),
        }
    }

    /// `done` counts from the beginning.
    pub(super) fn reach(&self, done: u64) {
        if self.is_watched && self.started.elapsed() >= PATIENCE {
            self.bar.get_or_init(|| self.draw()).set_position(done);
        }
    }

    fn draw(&self) -> ProgressBar {
        let template = "{bar:30} {human_pos} of {human_len} {msg}, {eta} left";
        let style = ProgressStyle::with_template(template);
        let bar = ProgressBar::new(self.length).with_message(self.unit);
        bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}
