use std::fmt::Display;

use serde_json::Value as Json;
use toml::{
    Spanned, Table, Value,
    de::{DeArray, DeTable, DeValue},
};

use super::{
    Problem,
    key_path::KeyPath,
    nearest::nearest,
    problem::Problems,
    schema::{choices, resolved, schema},
};

/// Checks a text against the schema. What does not fit is reported and left out of the table.
///
/// # Errors
///
/// Where the text is not TOML, that alone: what follows would be guesses.
pub(super) fn check(text: &str) -> Result<(Table, Problems), Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let lines = LineEnds::of(text);
    let mut problems = Problems::default();
    for error in &errors {
        // The error's own display would repeat the line, which may hold a secret.
        let line = error.span().map(|span| lines.line_at(span.start));
        problems.add_syntax(line, error.message());
    }
    if !problems.is_empty() {
        return Err(problems.into_list());
    }
    let root = schema();
    let mut check = Check {
        lines,
        root: &root,
        problems,
    };
    let table = check.table(&KeyPath::root(), &root, table.get_ref());
    Ok((table, check.problems))
}

/// Finds the line of a place in the text.
struct LineEnds(Vec<usize>);

impl LineEnds {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(offset, _)| offset).collect())
    }

    /// 1-based.
    fn line_at(&self, offset: usize) -> usize {
        1 + self.0.partition_point(|end| *end < offset)
    }
}

/// The part of JSON Schema that `schema()` uses.
struct Check<'a> {
    lines: LineEnds,
    root: &'a Json,
    problems: Problems,
}

impl<'a> Check<'a> {
    fn table(&mut self, at: &KeyPath, schema: &'a Json, given: &DeTable<'_>) -> Table {
        let mut usable = Table::new();
        for (key, value) in given {
            let name: &str = key.get_ref();
            let at = at.key(name);
            let line = self.lines.line_at(key.span().start);
            self.problems.note_line(&at, line);
            match known_key(schema, name) {
                Some(schema) => {
                    if let Some(value) = self.value(&at, schema, value) {
                        usable.insert(name.to_owned(), value);
                    }
                }
                None => self.unknown_key(&at, schema, name),
            }
        }
        self.required_keys(at, schema, given);
        usable
    }

    fn unknown_key(&mut self, at: &KeyPath, schema: &Json, name: &str) {
        let known = schema.get("properties").and_then(Json::as_object);
        let known = known.into_iter().flatten().map(|(name, _)| name.as_str());
        let meant = nearest(name, known);
        self.problems
            .add_suggesting(at, "is not a known key", meant);
    }

    fn required_keys(&mut self, at: &KeyPath, schema: &Json, given: &DeTable<'_>) {
        let required = schema.get("required").and_then(Json::as_array);
        for name in required.into_iter().flatten().filter_map(Json::as_str) {
            if !given.contains_key(name) {
                self.problems.add(&at.key(name), "is missing");
            }
        }
    }

    /// `None` where the value cannot be used.
    fn value(
        &mut self,
        at: &KeyPath,
        schema: &'a Json,
        given: &Spanned<DeValue<'_>>,
    ) -> Option<Value> {
        let schema = resolved(self.root, schema);
        match (wanted(schema), given.get_ref()) {
            ("object", DeValue::Table(table)) => Some(self.table(at, schema, table).into()),
            ("array", DeValue::Array(array)) => self.array(at, schema, array),
            ("choice", DeValue::String(text)) => self.choice(at, schema, text),
            ("string", DeValue::String(text)) => self.string(at, schema, text),
            ("boolean", DeValue::Boolean(value)) => Some(Value::Boolean(*value)),
            ("integer", DeValue::Integer(digits)) => {
                let number = i64::from_str_radix(digits.as_str(), digits.radix()).ok();
                self.integer(at, schema, number)
            }
            ("number", DeValue::Integer(digits)) if digits.radix() == 10 => {
                self.float(at, schema, digits.as_str().parse().ok())
            }
            ("number", DeValue::Float(digits)) => {
                self.float(at, schema, digits.as_str().parse().ok())
            }
            (wanted, given) => {
                let message = format!("must be {}, not {}", told(wanted), kind_of(given));
                self.problems.add(at, message);
                None
            }
        }
    }

    /// One element that cannot be used makes the array unusable: the others would be counted wrongly.
    fn array(&mut self, at: &KeyPath, schema: &'a Json, given: &DeArray<'_>) -> Option<Value> {
        let mut usable = Vec::new();
        for (index, element) in given.iter().enumerate() {
            let at = at.element(index);
            let line = self.lines.line_at(element.span().start);
            self.problems.note_line(&at, line);
            let items = schema.get("items").unwrap_or(&Json::Null);
            usable.push(self.value(&at, items, element));
        }
        let bounds = [schema.get("minItems"), schema.get("maxItems")];
        self.length(at, bounds, given.len(), " elements")?;
        let usable: Option<Vec<_>> = usable.into_iter().collect();
        usable.map(Value::Array)
    }

    fn choice(&mut self, at: &KeyPath, schema: &Json, given: &str) -> Option<Value> {
        let choices = choices(schema);
        if choices.contains(&given) {
            return Some(Value::String(given.to_owned()));
        }
        let all: Vec<_> = choices.iter().map(|choice| format!("`{choice}`")).collect();
        let meant = nearest(given, choices.into_iter());
        let message = format!("must be {}, not {given:?}", all.join(" or "));
        self.problems.add_suggesting(at, message, meant);
        None
    }

    fn string(&mut self, at: &KeyPath, schema: &Json, given: &str) -> Option<Value> {
        let bounds = [schema.get("minLength"), schema.get("maxLength")];
        self.length(at, bounds, given.chars().count(), " characters")?;
        Some(Value::String(given.to_owned()))
    }

    fn length(
        &mut self,
        at: &KeyPath,
        bounds: [Option<&Json>; 2],
        given: usize,
        of: &str,
    ) -> Option<()> {
        let given = u64::try_from(given).ok()?;
        let [least, most] = bounds.map(|bound| bound.and_then(Json::as_u64));
        if given == 0 && least.is_some_and(|least| least > 0) {
            self.problems.add(at, "must not be empty");
            return None;
        }
        self.within(at, (least, most), given, ("have", of))
    }

    fn integer(&mut self, at: &KeyPath, schema: &Json, given: Option<i64>) -> Option<Value> {
        let Some(number) = given else {
            self.problems.add(at, "is out of range");
            return None;
        };
        let bound = |name| schema.get(name).and_then(Json::as_i64);
        self.within(at, (bound("minimum"), bound("maximum")), number, ("be", ""))?;
        Some(Value::Integer(number))
    }

    fn float(&mut self, at: &KeyPath, schema: &Json, given: Option<f64>) -> Option<Value> {
        let Some(number) = given.filter(|number| number.is_finite()) else {
            self.problems.add(at, "must be a finite number");
            return None;
        };
        let bound = |name| schema.get(name).and_then(Json::as_f64);
        self.within(at, (bound("minimum"), bound("maximum")), number, ("be", ""))?;
        Some(Value::Float(number))
    }

    /// The verb stands before a bound, and the noun behind it.
    fn within<N: PartialOrd + Display + Copy>(
        &mut self,
        at: &KeyPath,
        (least, most): (Option<N>, Option<N>),
        given: N,
        (verb, noun): (&str, &str),
    ) -> Option<()> {
        let wrong = if let Some(least) = least.filter(|least| given < *least) {
            format!("must {verb} at least {least}{noun}, not {given}")
        } else if let Some(most) = most.filter(|most| given > *most) {
            format!("must {verb} at most {most}{noun}, not {given}")
        } else {
            return Some(());
        };
        self.problems.add(at, wrong);
        None
    }
}

/// The schema of a key: of a table with fixed keys, or of one whose keys are names.
fn known_key<'a>(schema: &'a Json, name: &str) -> Option<&'a Json> {
    schema
        .get("properties")
        .and_then(|known| known.get(name))
        .or_else(|| {
            schema
                .get("additionalProperties")
                .filter(|names| names.is_object())
        })
}

/// The type that a schema asks for; a list of words to choose from is a `choice`.
fn wanted(schema: &Json) -> &str {
    if schema.get("enum").is_some() || schema.get("oneOf").is_some() {
        return "choice";
    }
    schema
        .get("type")
        .and_then(Json::as_str)
        .unwrap_or("choice")
}

fn told(wanted: &str) -> &'static str {
    match wanted {
        "object" => "a table",
        "array" => "an array",
        "boolean" => "`true` or `false`",
        "integer" => "a whole number",
        "number" => "a number",
        _ => "text in quotes",
    }
}

fn kind_of(given: &DeValue<'_>) -> &'static str {
    match given {
        DeValue::Table(_) => "a table",
        DeValue::Array(_) => "an array",
        DeValue::String(_) => "text",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Datetime(_) => "a date",
    }
}
