//! What a piece weighs and costs: the envelope table and the postage table of a print house.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{DestinationName, PostageName};
use crate::{
    config::{key_path::KeyPath, problem::Problems},
    domain::PostageCode,
    print::{EnvelopeRule, PostageRule},
};

/// One row of the envelope table.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvelopeTable {
    /// As piece list and job ticket name it.
    #[schemars(required, length(min = 1, max = 40))]
    name: Option<String>,
    /// Sheets that it holds, the address page counted.
    #[schemars(required, range(min = 1, max = 999))]
    max_sheets: Option<u32>,
    /// The empty envelope, in hundredths of a gram.
    #[schemars(required, range(min = 1))]
    centigrams: Option<u32>,
    /// What it may weigh with its sheets. Default: its sheets alone decide.
    #[schemars(range(min = 1, max = 100_000))]
    max_grams: Option<u32>,
}

/// One row of the postage table.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PostageTable {
    /// The class that a letter asks for.
    #[schemars(required)]
    class: Option<PostageName>,
    #[schemars(required)]
    destination: Option<DestinationName>,
    /// The heaviest piece that it is for, sheets and envelope.
    #[schemars(required, range(min = 1, max = 100_000))]
    max_grams: Option<u32>,
    /// As piece list and job ticket name it: `P1-50`.
    #[schemars(required, length(min = 1, max = 40))]
    code: Option<String>,
}

impl From<EnvelopeRule> for EnvelopeTable {
    fn from(rule: EnvelopeRule) -> Self {
        Self {
            name: Some(rule.name.0),
            max_sheets: Some(rule.max_sheets),
            centigrams: Some(rule.centigrams),
            max_grams: rule.max_grams,
        }
    }
}

pub(super) fn envelopes(
    tables: Vec<EnvelopeTable>,
    at: &KeyPath,
    problems: &mut Problems,
) -> Vec<EnvelopeRule> {
    let mut rules: Vec<EnvelopeRule> = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        let (Some(name), Some(max_sheets), Some(centigrams)) =
            (table.name, table.max_sheets, table.centigrams)
        else {
            continue;
        };
        let at = at.element(index);
        if rules.iter().any(|known| known.name.0 == name) {
            problems.add(&at.key("name"), format!("repeats the name {name:?}"));
        }
        if rules
            .last()
            .is_some_and(|smaller| smaller.max_sheets >= max_sheets)
        {
            let message = "must hold more sheets than the envelope before it";
            problems.add(&at.key("max_sheets"), message);
        }
        rules.push(EnvelopeRule {
            max_grams: table.max_grams,
            ..EnvelopeRule::new(&name, max_sheets, centigrams)
        });
    }
    rules
}

pub(super) fn postage(
    tables: Vec<PostageTable>,
    at: &KeyPath,
    problems: &mut Problems,
) -> Vec<PostageRule> {
    let mut rules: Vec<PostageRule> = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        let (Some(class), Some(destination), Some(max_grams), Some(code)) =
            (table.class, table.destination, table.max_grams, table.code)
        else {
            continue;
        };
        let rule = PostageRule {
            class: class.into(),
            destination: destination.into(),
            max_grams,
            code: PostageCode(code),
        };
        let is_alike = |known: &&PostageRule| {
            (known.class, known.destination) == (rule.class, rule.destination)
        };
        let lighter = rules.iter().rev().find(is_alike);
        if lighter.is_some_and(|lighter| lighter.max_grams >= max_grams) {
            let message = "must be more than in the row before it of this class and destination";
            problems.add(&at.element(index).key("max_grams"), message);
        }
        rules.push(rule);
    }
    rules
}
