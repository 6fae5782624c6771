use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{
        CommandError, Invocation,
        error::Outcome,
        table::{Table, or_dash},
        words::Time,
    },
    store::{AccountKey, AccountRole, AccountRow},
};

/// `kuori account list`: the senders, print houses and feeds of consents of the settings, by name.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct AccountList {
    accounts: Vec<AccountLine>,
}

#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct AccountLine {
    pub(super) account: String,
    role: Role,
    pub(super) state: State,
    keys: Vec<KeyLine>,
    pub(super) has_password: bool,
    /// Addresses that commands allowed, beside those of the settings.
    pub(super) addresses: Vec<String>,
    pub(super) last_login: Option<LoginLine>,
    /// Logins refused since the last one that was not.
    pub(super) refused: u32,
    pub(super) last_refused_at: Option<Time>,
    pub(super) last_refused_from: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Role {
    Sender,
    PrintHouse,
    ConsentFeed,
}

/// Whether somebody may log in.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    Open,
    Disabled,
    /// Neither a key nor a password.
    NoKey,
    /// The settings have its folders on another server, or name it no more.
    Elsewhere,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct KeyLine {
    fingerprint: String,
    /// What stands behind the key in its line.
    comment: Option<String>,
    in_settings: bool,
    /// Absent where only the settings have it.
    added_at: Option<Time>,
    added_by: Option<String>,
    /// Absent: for ever.
    valid_until: Option<Time>,
    is_valid: bool,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct LoginLine {
    pub(super) at: Time,
    pub(super) from: String,
    /// The key's fingerprint, or `password`.
    pub(super) by: String,
}

pub(super) fn run(invocation: &mut Invocation<'_>) -> Result<Outcome, CommandError> {
    let accounts = invocation.store()?.accounts()?;
    let now = invocation.now;
    let lines = accounts.into_iter().map(|row| AccountLine::new(row, now));
    invocation.output.show(&AccountList {
        accounts: lines.collect(),
    })?;
    Ok(Outcome::Done)
}

impl AccountLine {
    pub(super) fn new(row: AccountRow, now: Timestamp) -> Self {
        let state = state(&row, now);
        let (last_refused_at, last_refused_from) = row.last_refused.unzip();
        Self {
            role: match row.role {
                AccountRole::Sender => Role::Sender,
                AccountRole::PrintHouse => Role::PrintHouse,
                AccountRole::ConsentFeed => Role::ConsentFeed,
            },
            state,
            account: row.name,
            keys: row
                .keys
                .into_iter()
                .map(|key| KeyLine::new(key, now))
                .collect(),
            has_password: row.password_hash.is_some(),
            addresses: row.addresses,
            last_login: row.login.map(|login| LoginLine {
                at: Time(login.at),
                from: login.from,
                by: login.by,
            }),
            refused: row.refused,
            last_refused_at: last_refused_at.map(Time),
            last_refused_from,
        }
    }

    /// One row a key, and the account's own cells in the first.
    fn rows(&self) -> Vec<[String; 8]> {
        let login = self.last_login.as_ref();
        let mut first = [
            self.account.clone(),
            self.role.to_string(),
            self.state.to_string(),
            String::new(),
            String::new(),
            or_dash(login.map(|login| login.at)),
            or_dash(login.map(|login| &login.from)),
            self.refused.to_string(),
        ];
        let mut rows = Vec::new();
        let mut opens: Vec<_> = self.keys.iter().map(KeyLine::cells).collect();
        if self.has_password {
            opens.push(["password".to_owned(), "command".to_owned()]);
        }
        if opens.is_empty() {
            opens.push([or_dash::<String>(None), String::new()]);
        }
        for [key, whose] in opens {
            let mut row = std::mem::take(&mut first);
            row[3] = key;
            row[4] = whose;
            rows.push(row);
        }
        rows
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = [String; 5]> + '_ {
        self.keys.iter().map(|key| {
            let [fingerprint, whose] = key.cells();
            [
                fingerprint,
                whose,
                or_dash(key.added_at),
                or_dash(key.added_by.as_ref()),
                or_dash(key.comment.as_ref()),
            ]
        })
    }
}

fn state(row: &AccountRow, now: Timestamp) -> State {
    if !row.is_served {
        State::Elsewhere
    } else if row.disabled_at.is_some() {
        State::Disabled
    } else if row.password_hash.is_none() && !row.keys.iter().any(|key| key.is_valid(now)) {
        State::NoKey
    } else {
        State::Open
    }
}

impl KeyLine {
    fn new(key: AccountKey, now: Timestamp) -> Self {
        let is_valid = key.is_valid(now);
        let (added_at, added_by) = key.added.unzip();
        let words: Vec<_> = key.key.line.split_whitespace().skip(2).collect();
        Self {
            comment: (!words.is_empty()).then(|| words.join(" ")),
            fingerprint: key.key.fingerprint,
            in_settings: key.in_settings,
            added_at: added_at.map(Time),
            added_by,
            valid_until: key.valid_until.map(Time),
            is_valid,
        }
    }

    /// The key, and where it comes from.
    fn cells(&self) -> [String; 2] {
        let whose = match (self.in_settings, self.added_at.is_some()) {
            (true, false) => "settings",
            (true, true) => "settings, command",
            (false, true) => "command",
            (false, false) => "settings before",
        };
        let end = match (self.is_valid, self.valid_until) {
            (false, _) => ", ended".to_owned(),
            (true, Some(until)) => format!(", until {until}"),
            (true, None) => String::new(),
        };
        [self.fingerprint.clone(), format!("{whose}{end}")]
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sender => "sender",
            Self::PrintHouse => "print house",
            Self::ConsentFeed => "consent feed",
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Disabled => "disabled",
            Self::NoKey => "no key",
            Self::Elsewhere => "elsewhere",
        })
    }
}

impl fmt::Display for AccountList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = [
            "ACCOUNT",
            "ROLE",
            "STATE",
            "KEY",
            "FROM",
            "LAST LOGIN",
            "ADDRESS",
            "REFUSED",
        ];
        Table::new(heading, self.accounts.iter().flat_map(AccountLine::rows)).fmt(f)
    }
}
