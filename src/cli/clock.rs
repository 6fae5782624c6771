use jiff::Timestamp;

/// The time of this call in whole milliseconds, as the store keeps it: asked once, here, and handed
/// on.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the edge: everything below takes the time as an argument"
)]
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
