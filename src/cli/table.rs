use std::fmt;

/// Rows of text under a heading, in columns as wide as they must be. Columns of numbers stand to
/// the right.
pub(super) struct Table<const COLUMNS: usize> {
    heading: [&'static str; COLUMNS],
    rows: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    pub(super) fn new(
        heading: [&'static str; COLUMNS],
        rows: impl IntoIterator<Item = [String; COLUMNS]>,
    ) -> Self {
        Self {
            heading,
            rows: rows.into_iter().collect(),
        }
    }

    fn columns(&self) -> Vec<Column> {
        let column = |(index, heading): (usize, &&str)| {
            let cells = || self.rows.iter().filter_map(|row| row.get(index));
            let widest = cells().map(|cell| cell.chars().count()).max();
            let is_number = |cell: &String| cell.bytes().all(|b| b.is_ascii_digit());
            Column {
                width: widest.unwrap_or(0).max(heading.len()),
                is_number: cells().all(is_number) && !self.rows.is_empty(),
            }
        };
        self.heading.iter().enumerate().map(column).collect()
    }
}

struct Column {
    width: usize,
    is_number: bool,
}

impl<const COLUMNS: usize> fmt::Display for Table<COLUMNS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.columns();
        writeln!(f, "{}", line(&columns, &self.heading))?;
        for row in &self.rows {
            writeln!(f, "{}", line(&columns, row))?;
        }
        Ok(())
    }
}

fn line<T: fmt::Display>(columns: &[Column], cells: &[T]) -> String {
    let cells = columns.iter().zip(cells).map(|(column, cell)| {
        let width = column.width;
        if column.is_number {
            format!("{cell:>width$}")
        } else {
            format!("{cell:<width$}")
        }
    });
    let cells: Vec<_> = cells.collect();
    cells.join("  ").trim_end().to_owned()
}

/// `-` where there is nothing to say.
pub(super) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be_and_numbers_stand_right() {
        let rows = [["B-0007", "9"], ["B-0008", "1000"]].map(|row| row.map(str::to_owned));
        insta::assert_snapshot!(Table::new(["BATCH", "MESSAGES"], rows), @r"
        BATCH   MESSAGES
        B-0007         9
        B-0008      1000
        ");
    }
}
