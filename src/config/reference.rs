use std::fmt::Write;

use serde_json::Value as Json;

use super::schema::{choices, resolved, schema};

const INTRODUCTION: &str = "\
One TOML file, `kuori.toml`. `kuori config check` says all that is wrong with it at once. Three files to start
from, explained line by line: `samples/config/demo.toml`, which is what holds without a file, `samples/config/production.toml`, and
`samples/config/suomifi.toml` for Suomi.fi Messages. For editors there is a JSON Schema, `schemas/settings.schema.json`.

";

/// What `docs/settings.md` holds: every key with its bounds, default and meaning, in Markdown.
pub fn reference() -> String {
    let root = schema();
    let mut reference = Reference {
        root: &root,
        text: String::new(),
    };
    reference.section(
        "",
        "Settings",
        &format!("{INTRODUCTION}{}", description(&root)),
        &root,
    );
    reference.text.trim_end().to_owned() + "\n"
}

struct Reference<'a> {
    root: &'a Json,
    text: String,
}

impl<'a> Reference<'a> {
    /// A table of the file: its own keys first, then a section for each table in it.
    fn section(&mut self, path: &str, title: &str, about: &str, schema: &'a Json) {
        let level = if path.is_empty() { "#" } else { "##" };
        self.line(&format!("{level} {title}\n\n{about}\n"));
        let keys = schema.get("properties").and_then(Json::as_object);
        let (tables, values): (Vec<_>, Vec<_>) = keys
            .into_iter()
            .flatten()
            .partition(|(_, schema)| self.table_in(schema).is_some());
        if !values.is_empty() {
            self.line("| key | value | default | meaning |\n| --- | --- | --- | --- |");
            let required = schema.get("required").and_then(Json::as_array);
            for (key, schema) in values {
                let is_required = required.is_some_and(|keys| keys.iter().any(|name| name == key));
                self.row(key, schema, is_required);
            }
            self.line("");
        }
        for (key, schema) in tables {
            self.inner_section(path, key, schema);
        }
    }

    fn inner_section(&mut self, path: &str, key: &str, schema: &'a Json) {
        let Some((form, table)) = self.table_in(schema) else {
            return;
        };
        let path = form.path(path, key);
        let mut about = description(table);
        if schema.get("description").is_some() {
            about = format!("{} {about}", description(schema));
        }
        if let Some(default) = schema.get("default").map(toml_of) {
            let _ = write!(about, " Default: `{default}`.");
        }
        self.section(&path, &form.title(&path), about.trim(), table);
    }

    fn row(&mut self, key: &str, schema: &Json, is_required: bool) {
        let default = match schema.get("default") {
            Some(default) => format!("`{}`", toml_of(default)),
            None if is_required => "required".to_owned(),
            None => String::new(),
        };
        let (value, meaning) = (self.value(schema), self.meaning(schema));
        self.line(&format!("| `{key}` | {value} | {default} | {meaning} |"));
    }

    fn meaning(&self, schema: &Json) -> String {
        let resolved = self.resolved(schema);
        let own = schema.get("description").is_some();
        let mut text = description(if own { schema } else { resolved });
        let words = resolved.get("oneOf").and_then(Json::as_array);
        for word in words.into_iter().flatten() {
            let name = word.get("const").and_then(Json::as_str);
            if let (Some(name), Some(_)) = (name, word.get("description")) {
                let _ = write!(text, " `{name}`: {}", description(word));
            }
        }
        text
    }

    fn value(&self, schema: &Json) -> String {
        let schema = self.resolved(schema);
        let choices = choices(schema);
        if !choices.is_empty() {
            let choices: Vec<_> = choices.iter().map(|word| format!("`\"{word}\"`")).collect();
            return choices.join(", ");
        }
        let bound = |name: &str| schema.get(name).filter(is_told).map(Json::to_string);
        match schema.get("type").and_then(Json::as_str) {
            Some("integer") => within("whole number", bound("minimum"), bound("maximum")),
            Some("number") => within("number", bound("minimum"), bound("maximum")),
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("array") => self.list(schema),
            _ => "text".to_owned(),
        }
    }

    fn list(&self, schema: &Json) -> String {
        let elements = schema.get("items").map(|items| self.resolved(items));
        let words = elements.map(choices).unwrap_or_default();
        let words: Vec<_> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
        match words.as_slice() {
            [] => "list of texts".to_owned(),
            words => format!("list of {}", words.join(", ")),
        }
    }

    /// The schema of the table that a key holds, if it holds one.
    fn table_in(&self, schema: &'a Json) -> Option<(Form, &'a Json)> {
        let schema = self.resolved(schema);
        if schema.get("properties").is_some() {
            return Some((Form::One, schema));
        }
        let names = schema
            .get("additionalProperties")
            .map(|names| (Form::Named, names));
        let rows = schema.get("items").map(|rows| (Form::Rows, rows));
        let (form, inner) = names.or(rows)?;
        let inner = self.resolved(inner);
        inner.get("properties").is_some().then_some((form, inner))
    }

    fn resolved(&self, schema: &'a Json) -> &'a Json {
        resolved(self.root, schema)
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }
}

/// How often a table occurs.
#[derive(Clone, Copy)]
enum Form {
    One,
    /// Any number, each under a name of its own.
    Named,
    /// Any number, one after the other.
    Rows,
}

impl Form {
    fn path(self, parent: &str, key: &str) -> String {
        let dot = if parent.is_empty() { "" } else { "." };
        match self {
            Self::One | Self::Rows => format!("{parent}{dot}{key}"),
            Self::Named => format!("{parent}{dot}{key}.<name>"),
        }
    }

    fn title(self, path: &str) -> String {
        match self {
            Self::One | Self::Named => format!("`[{path}]`"),
            Self::Rows => format!("`[[{path}]]`"),
        }
    }
}

/// A doc comment in one line.
fn description(schema: &Json) -> String {
    let text = schema.get("description").and_then(Json::as_str);
    text.unwrap_or_default()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// The bound of a 32-bit number is nobody's concern.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "`Option::filter` wants it"
)]
fn is_told(bound: &&Json) -> bool {
    bound.as_u64() != Some(u32::MAX.into())
}

fn within(kind: &str, least: Option<String>, most: Option<String>) -> String {
    match (least, most) {
        (Some(least), Some(most)) => format!("{kind}, {least} to {most}"),
        (Some(least), None) => format!("{kind}, at least {least}"),
        (None, Some(most)) => format!("{kind}, at most {most}"),
        (None, None) => kind.to_owned(),
    }
}

/// A value as the file writes it.
fn toml_of(value: &Json) -> String {
    toml::Value::try_from(value).map_or(String::new(), |value| value.to_string())
}
