use super::feed::FedFile;

/// What is answered to a file: counts, and bad rows by line and reason alone.
pub(super) fn answer(file: &FedFile, sha256: &str) -> String {
    let number = |number: Option<u64>| number.map(|it| it.to_string()).unwrap_or_default();
    let told = &file.told;
    let mut rows = vec![
        ("result".to_owned(), file.state.as_str().to_owned()),
        ("why".to_owned(), file.why.clone().unwrap_or_default()),
        ("sha256".to_owned(), sha256.to_owned()),
        ("rows".to_owned(), told.rows.to_string()),
        ("changed".to_owned(), number(told.changed)),
        // Withdrawals that are older than a consent of the register.
        ("unheeded".to_owned(), told.unheeded.to_string()),
        ("missing".to_owned(), number(told.missing)),
        ("brought back".to_owned(), number(told.brought_back)),
        ("bad".to_owned(), told.bad.to_string()),
    ];
    let named = told.bad_rows.iter();
    rows.extend(named.map(|row| (format!("line {}", row.line), row.problem.clone())));
    let lines = rows.iter().map(|(what, value)| {
        let value = value.replace('"', "\"\"");
        format!("{what},\"{value}\"\n")
    });
    std::iter::once("what,value\n".to_owned())
        .chain(lines)
        .collect()
}
