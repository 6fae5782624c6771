use std::sync::Arc;

use jiff::Timestamp;

/// Where the time comes from: the system's clock at the edge, a fixed one in tests.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub fn fixed(at: Timestamp) -> Self {
        Self::new(move || at)
    }

    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}
