use tokio::sync::watch;

use super::Error;

/// Whether the house was told to stop. Long steps ask between two pages: what they have recorded
/// stands, and the next start goes on behind it.
#[derive(Debug, Clone)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    pub(super) fn when(told: &watch::Receiver<bool>) -> Self {
        Self(told.clone())
    }

    pub(super) fn never() -> Self {
        Self(watch::channel(false).1)
    }

    /// # Errors
    ///
    /// [`Error::Stopped`] once the house was told to stop.
    pub(super) fn check(&self) -> Result<(), Error> {
        if *self.0.borrow() {
            Err(Error::Stopped)
        } else {
            Ok(())
        }
    }
}
