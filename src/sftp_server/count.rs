use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Places that are taken; how many there are is said at each taking, so that it may change.
#[derive(Debug, Clone, Default)]
pub(super) struct Count(Arc<AtomicUsize>);

/// One place; dropping it frees it.
#[derive(Debug)]
pub(super) struct Taken(Arc<AtomicUsize>);

impl Count {
    pub(super) fn take(&self, max: usize) -> Option<Taken> {
        let one_more = |taken| (taken < max).then_some(taken + 1);
        let taken = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more);
        taken.ok().map(|_| Taken(Arc::clone(&self.0)))
    }

    pub(super) fn is_full(&self, max: usize) -> bool {
        self.0.load(Ordering::Acquire) >= max
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Whom a connection is put down to: an IPv4 address, or the /64 that one IPv6 site has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Source(IpAddr);

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from(network))
            }
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// Open connections by where they come from.
#[derive(Debug, Default)]
pub(super) struct BySource(Mutex<HashMap<Source, usize>>);

/// One connection in the count; dropping it takes it out.
#[derive(Debug)]
pub(super) struct Counted {
    counts: Arc<BySource>,
    source: Source,
}

impl BySource {
    pub(super) fn take(self: &Arc<Self>, source: Source, max: usize) -> Option<Counted> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = open.entry(source).or_default();
        if *connections >= max {
            return None;
        }
        *connections += 1;
        Some(Counted {
            counts: Arc::clone(self),
            source,
        })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connections) = open.get_mut(&self.source) {
            *connections -= 1;
            if *connections == 0 {
                open.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_places_as_are_said_at_each_taking() {
        let count = Count::default();
        let first = count.take(1);
        assert!(first.is_some() && count.is_full(1));
        assert!(count.take(1).is_none());
        assert!(count.take(2).is_some());
        drop(first);
        assert!(count.take(1).is_some());
    }

    #[test]
    fn a_site_s_ipv6_addresses_are_one_source_and_ipv4_has_one_form() {
        let source = |text: &str| Source::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:2"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_eq!(source("::ffff:192.0.2.7"), source("192.0.2.7"));
        assert_ne!(source("192.0.2.8"), source("192.0.2.7"));
    }

    #[test]
    fn a_source_that_has_none_open_is_forgotten() {
        let counts = Arc::new(BySource::default());
        let source = Source::from("192.0.2.7".parse::<IpAddr>().unwrap());
        let first = counts.take(source, 1);
        assert!(counts.take(source, 1).is_none());
        drop(first);
        assert!(counts.0.lock().unwrap().is_empty());
        assert!(counts.take(source, 1).is_some());
    }
}
