use super::House;

#[test]
fn the_house_is_seen_at_one_glance_and_needs_an_operator_where_it_does() {
    let said = House::filled().kuori("status");
    assert_eq!(said.code, 3, "{}", said.err);
    let text: Vec<_> = said
        .out
        .lines()
        .filter(|line| !line.starts_with("Disk"))
        .collect();
    let text = text.join("\n");
    assert!(text.contains("TO DO not-running (house)"), "{text}");
    assert!(
        text.contains("ALERT messages-held (example-city) for 107 min, since 2026-03-01T06:13:00Z"),
        "{text}"
    );
    assert!(
        text.contains("→ kuori message list B-0001 --state held"),
        "{text}"
    );
    assert!(text.contains("24 hours 1 batch, 6 messages: "), "{text}");
    assert!(text.contains("batches   "), "{text}");
}

#[test]
fn a_house_from_a_backup_is_not_to_be_started_before_somebody_has_asked() {
    let house = House::filled();
    let (backup, restored) = (house.path("backup"), house.path("restored"));
    house.out(&format!("backup {backup}"));
    house.out(&format!("restore {backup} --data-dir {restored}"));
    let status = house.kuori(&format!("status --data-dir {restored}")).out;
    assert!(status.contains("→ kuori restore status"), "{status}");
    assert!(!status.contains("kuori run"), "{status}");
    let accept = format!("restore accept --fetched --reason asked --data-dir {restored}");
    assert!(house.both(&accept).contains("`kuori run`"));
    let status = house.kuori(&format!("status --data-dir {restored}")).out;
    assert!(status.contains("→ kuori run"), "{status}");
}

#[test]
fn the_history_of_a_message_tells_what_was_found_decided_and_done() {
    let house = House::filled();
    insta::assert_snapshot!(house.out("events B-0001-3"), @r"
    AT                    BY     MESSAGE  WHAT                                          WHY
    2026-03-01T06:00:00Z  kuori  -        received
    2026-03-01T06:01:00Z  kuori  -        opened
    2026-03-01T06:02:00Z  kuori  3        routed to print                               mailbox-inactive, mailbox inactive
    2026-03-01T06:10:00Z  kuori  3        planned into P-0001 as piece 1, pages 1 to 2
    2026-03-01T06:10:00Z  kuori  -        composed P-0001
    2026-03-01T06:10:00Z  kuori  3        composed in P-0001
    2026-03-01T06:12:09Z  kuori  -        handed over P-0001
    2026-03-01T06:12:09Z  kuori  3        handed over in P-0001
    2026-03-01T06:12:09Z  kuori  -        handed over the acknowledgement receipt
    2026-03-01T06:13:00Z  kuori  -        composed
    ");
    insta::assert_snapshot!(house.out("events P-0001"), @r"
    AT                    BY     MESSAGE  WHAT                             WHY
    2026-03-01T06:10:00Z  kuori  -        planned P-0001: 1 letter
    2026-03-01T06:10:00Z  kuori  -        composed P-0001
    2026-03-01T06:10:00Z  kuori  -        1 message composed in P-0001
    2026-03-01T06:12:09Z  kuori  -        handed over P-0001
    2026-03-01T06:12:09Z  kuori  -        1 message handed over in P-0001
    ");
}

#[test]
fn a_history_of_nothing_says_what_to_type() {
    let house = House::filled();
    for (line, wanted) in [
        ("events B-0009", "there is no batch B-0009"),
        ("events B-0001-99", "kuori message list B-0001"),
        ("events P-0099", "kuori bundle list"),
        ("events x", "write it as `B-0007`"),
        (
            "events --sender exmple-city",
            "did you mean `example-city`?",
        ),
        (
            "events --sender example-city --letter-id none",
            "no letter with that id",
        ),
        ("events B-0001 --follow --json", "`--follow` has no end"),
    ] {
        let said = house.kuori(line);
        assert_ne!(said.code, 0, "{line}");
        assert!(said.err.contains(wanted), "{line}: {}", said.err);
    }
    let newest = house.kuori("events B-0001 --limit 1");
    assert!(
        newest.err.contains("older ones are left out"),
        "{}",
        newest.err
    );
    assert_eq!(newest.out.lines().count(), 2);
}

#[test]
fn batches_are_listed_by_state_sender_time_and_page() {
    let house = House::filled();
    let listed = |line: &str| house.out(&format!("batch list {line}")).lines().count();
    for line in [
        "--state composed",
        "--sender example-city",
        "--since 2026-03-01",
        "--since 2h --until 2026-03-01T06:00:01Z",
        "--before B-0002",
    ] {
        assert_eq!(listed(line), 2, "{line}");
    }
    for line in [
        "--state held",
        "--test",
        "--since 119m",
        "--until 2026-03-01T06:00:00Z",
        "--before B-0001",
    ] {
        let said = house.kuori(&format!("batch list {line}"));
        assert_eq!(said.both(), "note: no batch is like that\n", "{line}");
    }
    assert!(
        house
            .kuori("batch list --since soon")
            .err
            .contains("is no time")
    );
    assert!(
        house
            .kuori("batch list --limit 1")
            .err
            .contains("`--before B-0001`")
    );
}

#[test]
fn alerts_are_listed_and_a_test_of_them_needs_a_command() {
    let house = House::filled();
    assert_eq!(house.both("alert list"), "note: no alert is on\n");
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/config/demo.toml");
    let said = house.kuori(&format!("alert test --config {demo}"));
    assert_eq!(said.code, 1);
    assert!(said.err.contains("no command is set"), "{}", said.err);
    let text = std::fs::read_to_string(demo).unwrap();
    let with =
        |command: &str| text.replace("[alerts]\n", &format!("[alerts]\ncommand = {command}\n"));
    let works = house.file("works.toml", &with("[\"/bin/true\"]"));
    assert!(
        house
            .out(&format!("alert test --config {works}"))
            .contains("has run")
    );
    let fails = house.file("fails.toml", &with("[\"/bin/false\"]"));
    let said = house.kuori(&format!("alert test --config {fails}"));
    assert!(said.err.contains("`/bin/false` ended with"), "{}", said.err);
}
