use super::*;

#[test]
fn the_samples_are_valid() {
    assert_eq!(wrong(DEMO), "nothing is wrong");
    assert_eq!(wrong(PRODUCTION), "nothing is wrong");
}

/// Holds a committed file to what the code says. `KUORI_BLESS=1 cargo test config::` writes it.
fn check_committed(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("KUORI_BLESS").is_some() {
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(expected.as_bytes()).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == expected,
        "{} is not what the code says; run `KUORI_BLESS=1 cargo test config::`",
        path.display()
    );
}

#[test]
fn the_committed_schema_is_that_of_the_code() {
    let schema = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    check_committed("schemas/settings.schema.json", &schema);
}

#[test]
fn the_committed_reference_is_that_of_the_schema() {
    check_committed("docs/settings.md", &reference());
}

/// The same as the demo, with nothing written that is a default anyway. Its first batch goes through
/// at once, so that it shows the whole flow, and its artificial codes are accepted, since samples
/// have no others.
const SHORT: &str = r#"
[senders.example-city]
display_name = "Example City"
address_rows = ["Example City", "PL 1", "00099 EXAMPLE CITY"]
print_house = "example-print"
hold_first_batch = false
artificial_ids = "accept"

[print_houses.example-print]
"#;

#[test]
fn the_demo_writes_out_the_defaults_of_the_rooms() {
    let demo = parse(DEMO).unwrap();
    assert_eq!(
        format!("{demo:#?}"),
        format!("{:#?}", parse(SHORT).unwrap())
    );
    let embedded = Config::embedded("kuori-data".into());
    assert_eq!(format!("{demo:#?}"), format!("{embedded:#?}"));
}

/// Every key that the schema knows, without the names of tables.
fn known_keys(schema: &serde_json::Value, keys: &mut Vec<String>) {
    if let Some(properties) = schema.get("properties").and_then(|p| p.as_object()) {
        keys.extend(properties.keys().cloned());
    }
    let inner = schema
        .as_object()
        .into_iter()
        .flat_map(|schema| schema.values());
    inner.for_each(|schema| known_keys(schema, keys));
}

#[test]
fn the_demo_explains_every_key() {
    let mut keys = Vec::new();
    known_keys(&schema(), &mut keys);
    assert!(keys.len() > 80, "{}", keys.len());
    let is_written = |key: &String| {
        let starts = |line: &str| {
            line.trim_start_matches("# ")
                .starts_with(&format!("{key} = "))
        };
        let heads = |line: &str| line.contains('[') && line.contains(key.as_str());
        DEMO.lines().any(|line| starts(line) || heads(line))
    };
    let missing: Vec<_> = keys.iter().filter(|key| !is_written(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_slip_in_any_key_is_found_with_its_line_and_its_right_name() {
    let lines: Vec<_> = DEMO.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let Some((key, value)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let slip = format!("{key}x = {value}");
        let mut lines = lines.clone();
        lines[index] = &slip;
        let problems = parse(&lines.join("\n")).unwrap_err();
        let found = |problem: &Problem| {
            problem.line == Some(index + 1) && problem.suggestion.as_deref() == Some(key)
        };
        assert!(problems.iter().any(found), "{line}: {problems:?}");
    }
}

#[test]
fn the_production_sample_says_what_it_says() {
    let config = parse(PRODUCTION).unwrap();
    assert!(config.server.is_none());
    assert!(config.accounts().is_empty());
    let [city, hospital] = config.senders.as_slice() else {
        panic!("two senders");
    };
    let FolderConfig::Directory(path) = &city.folder else {
        panic!("a directory");
    };
    assert_eq!(path, Path::new("/srv/sftp/example-city"));
    assert_eq!(city.inbox.unfinished_endings.last().unwrap(), ".uploading");
    let FolderConfig::Sftp(sftp) = &hospital.folder else {
        panic!("an SFTP server");
    };
    assert_eq!((sftp.port, sftp.in_flight), (22, 64));
    assert_eq!(hospital.settings.batch.limits.max_zip_bytes, 1 << 30);
    assert_eq!(hospital.settings.gate, crate::pipeline::Gate::AllOrNothing);
    let second = &config.print_houses[1].settings.print;
    assert_eq!(second.envelopes.len(), 2);
    assert_eq!(second.pdf_version, crate::print::PdfVersion::Pdf20);
}
