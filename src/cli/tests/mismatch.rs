use serde_json::Value;

/// Where a document breaks its schema, for the few keywords that our schemas use.
pub(crate) fn mismatch(root: &Value, schema: &Value, document: &Value) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.strip_prefix('#')?).expect(reference);
        return mismatch(root, target, document);
    }
    if let Some(options) = schema["anyOf"].as_array() {
        let fits = options
            .iter()
            .any(|option| mismatch(root, option, document).is_none());
        return (!fits).then(|| format!("{document} fits no option"));
    }
    if !has_type(&schema["type"], document) {
        return Some(format!("{document} is not {}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(document)
    {
        return Some(format!("{document} is no word of {words:?}"));
    }
    let in_array = document.as_array().into_iter().flatten();
    let mut wrong = in_array.filter_map(|item| mismatch(root, &schema["items"], item));
    wrong
        .next()
        .or_else(|| mismatch_of_fields(root, schema, document))
}

fn mismatch_of_fields(root: &Value, schema: &Value, document: &Value) -> Option<String> {
    let fields = document.as_object()?;
    let required = schema["required"].as_array().into_iter().flatten();
    for name in required.filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            return Some(format!("`{name}` is missing"));
        }
    }
    for (name, value) in fields {
        let Some(schema) = schema["properties"].get(name) else {
            return Some(format!("`{name}` is not in the schema"));
        };
        if let Some(wrong) = mismatch(root, schema, value) {
            return Some(format!("{name}: {wrong}"));
        }
    }
    None
}

fn has_type(wanted: &Value, document: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => document.is_null(),
        "boolean" => document.is_boolean(),
        "integer" => document.is_u64() || document.is_i64(),
        "number" => document.is_number(),
        "string" => document.is_string(),
        "array" => document.is_array(),
        "object" => document.is_object(),
        other => panic!("a type that no schema of ours uses: {other}"),
    };
    match wanted {
        Value::Null => true,
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        other => panic!("a type that no schema of ours uses: {other}"),
    }
}
