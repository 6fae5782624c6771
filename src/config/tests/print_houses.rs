use super::*;

#[test]
fn a_print_house_has_omr_lines_only_where_a_table_says_so() {
    let marks = |table: &str| {
        let config = parse(&format!("[senders.a]\n[print_houses.p.marks{table}]")).unwrap();
        config.print_houses[0].settings.print.marks.clone()
    };
    assert_eq!(marks("]\n#"), crate::print::MarkSettings::default());
    assert_eq!(
        marks(".omr").omr,
        Some(crate::print::OmrSettings::default())
    );
    let lines =
        marks(".omr]\nsequence = 'from-1'\nlines = ['start', 'not-end-of-set', 'sequence-4']#");
    let lines = lines.omr.unwrap();
    assert_eq!(lines.sequence, crate::print::OmrSequence::From1);
    let names: Vec<_> = lines.lines.iter().map(|line| line.as_str()).collect();
    assert_eq!(names, ["start", "not-end-of-set", "sequence-4"]);
}

#[test]
fn omr_lines_that_no_machine_could_read_are_told() {
    let with = |keys: &str| wrong(&format!("[senders.a]\n[print_houses.p.marks.omr]\n{keys}"));
    let told = [
        "lines = []",
        "lines = ['parity', 'parity']",
        "lines = ['strat']",
        "pitch_mm = 0.5",
    ]
    .map(with);
    insta::assert_snapshot!(told.join("\n"), @r#"
    line 3: `print_houses.p.marks.omr.lines` must not be empty
    line 3: `print_houses.p.marks.omr.lines` has more than one `parity`
    line 3: `print_houses.p.marks.omr.lines[1]` must be `start` or `safety` or `retiming` or `end-of-set` or `not-end-of-set` or `begin-of-set` or `not-begin-of-set` or `sequence-4` or `sequence-2` or `sequence-1` or `parity` or `insert-on-first` or `insert-on-last` or `blank`, not "strat"; did you mean `start`?
    line 3: `print_houses.p.marks.omr.pitch_mm` must be more than `thickness_mm`, or lines run together
    "#);
}

/// A word of the settings is that of the job ticket.
#[test]
fn omr_lines_have_one_name_everywhere() {
    let schema = serde_json::to_string(&schema()).unwrap();
    let ticket = include_str!("../../../schemas/job-ticket.xsd");
    for line in crate::print::OmrLine::ALL {
        let name = line.as_str();
        assert!(schema.contains(&format!("\"{name}\"")), "{name}");
        assert!(
            ticket.contains(&format!("<xs:enumeration value=\"{name}\"/>")),
            "{name}"
        );
    }
}

#[test]
fn the_tables_and_limits_of_a_print_house_are_read() {
    let text = r#"
[print_houses.p]
directory = "p"
max_bundle_sheets = 25_000
household_max_sheets = 9
grey_saves = true
[[print_houses.p.envelopes]]
name = "C5"
max_sheets = 9
centigrams = 700
max_grams = 100
[[print_houses.p.postage]]
class = "priority"
destination = "foreign"
max_grams = 50
code = "PX-50"
"#;
    let config = parse(&format!(
        "{text}\n[senders.a]\ndirectory = \"a\"\nhousehold = true\n"
    ));
    let config = config.unwrap();
    assert!(config.senders[0].settings.household);
    let print = &config.print_houses[0].settings.print;
    assert_eq!(print.max_bundle_sheets, Some(25_000));
    assert_eq!(print.household_max_sheets, Some(9));
    assert!(print.grey_saves);
    assert_eq!(print.envelopes[0].max_grams, Some(100));
    let row = PostageRule {
        class: PostageClass::Priority,
        destination: Destination::Foreign,
        max_grams: 50,
        code: PostageCode("PX-50".to_owned()),
    };
    assert_eq!(print.postage, [row]);
}
