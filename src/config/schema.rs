use schemars::{Schema, generate::SchemaSettings, transform};
use serde_json::Value;

use super::tables::Tables;

/// The JSON Schema (draft 2020-12) of a settings file; `schemas/settings.schema.json` holds it.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12()
        .for_deserialize()
        .with_transform(transform::RecursiveTransform(as_toml_has_it));
    settings
        .into_generator()
        .into_root_schema_for::<Tables>()
        .to_value()
}

/// What a `$ref` leads to, or the schema itself.
pub(super) fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema.get("$ref").and_then(Value::as_str);
    reference
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
        .unwrap_or(schema)
}

/// The words of an `enum`, and of a `oneOf` whose branches are single words or such lists.
pub(super) fn choices(schema: &Value) -> Vec<&str> {
    let list = |name| {
        schema
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let own = schema.get("const").and_then(Value::as_str);
    list("enum")
        .filter_map(Value::as_str)
        .chain(list("oneOf").flat_map(choices))
        .chain(own)
        .collect()
}

/// TOML has no null, and its integers have no width: bounds say the same and are standard.
fn as_toml_has_it(schema: &mut Schema) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            schema.extend(only);
        }
    }
    // The default of a table is that of its keys.
    if schema
        .get("default")
        .is_some_and(|default| default.is_null() || default.is_object())
    {
        schema.remove("default");
    }
    if schema.remove("format") == Some(Value::from("uint32")) {
        schema
            .entry("maximum")
            .or_insert_with(|| Value::from(u32::MAX));
    }
}
