use std::collections::HashMap;

use super::{
    DocumentFacts,
    account::{Account, Claim, Described},
    control::StatedPages,
};
use crate::domain::{DocumentName, Finding};

/// The documents of a batch, and who claims which of their pages.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    accounts: Vec<Account>,
    by_name: HashMap<DocumentName, usize>,
    missing: u32,
}

impl Ledger {
    pub(super) fn holds(&self, name: &DocumentName) -> bool {
        self.by_name.contains_key(name)
    }

    pub(super) fn enter(&mut self, account: Account) {
        self.missing += u32::from(account.is_missing());
        self.by_name
            .insert(account.name().clone(), self.accounts.len());
        self.accounts.push(account);
    }

    /// How many documents are not in the archive.
    pub(super) fn missing(&self) -> u32 {
        self.missing
    }

    /// Gives a letter its pages of a document that was entered.
    pub(super) fn claim(
        &mut self,
        name: &DocumentName,
        stated: StatedPages,
        letter: Described,
    ) -> Option<Claim> {
        Some(self.account(name)?.claim(stated, letter))
    }

    /// Takes no more letters of a document that was entered.
    pub(super) fn refuse(&mut self, name: &DocumentName, finding: Finding) {
        if let Some(account) = self.account(name) {
            account.refuse(finding);
        }
    }

    fn account(&mut self, name: &DocumentName) -> Option<&mut Account> {
        let at = *self.by_name.get(name)?;
        self.accounts.get_mut(at)
    }

    /// Overlaps and gaps: errors of the whole file.
    pub(super) fn slips(&self) -> impl Iterator<Item = Finding> + '_ {
        self.accounts.iter().flat_map(Account::slips)
    }

    pub(super) fn facts(&self) -> Vec<DocumentFacts> {
        self.accounts.iter().map(Account::facts).collect()
    }
}
