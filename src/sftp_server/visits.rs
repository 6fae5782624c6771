use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

/// Who came to one account since the last time that this was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visit {
    /// The last login: from where, and the fingerprint of the key, or `password`.
    pub login: Option<(IpAddr, String)>,
    /// Logins that were refused since, and where the last of them came from.
    pub refused: u32,
    pub refused_from: Option<IpAddr>,
}

/// Logins and refusals by account, until they are taken. Names that no account has are not kept: a
/// stranger can type as many as he likes.
#[derive(Debug, Default)]
pub(super) struct Visits(Mutex<BTreeMap<String, Visit>>);

impl Visits {
    pub(super) fn login(&self, account: &str, from: IpAddr, credential: String) {
        self.note(account, |visit| {
            *visit = Visit {
                login: Some((from.to_canonical(), credential)),
                ..Visit::default()
            };
        });
    }

    pub(super) fn refused(&self, account: &str, from: IpAddr) {
        self.note(account, |visit| {
            visit.refused = visit.refused.saturating_add(1);
            visit.refused_from = Some(from.to_canonical());
        });
    }

    pub(super) fn take(&self) -> BTreeMap<String, Visit> {
        let mut visits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *visits)
    }

    fn note(&self, account: &str, note: impl FnOnce(&mut Visit)) {
        let mut visits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        note(visits.entry(account.to_owned()).or_default());
    }
}
