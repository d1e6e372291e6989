//! How many tests ran: reads the closing lines of the runners that we use.

/// Tests that passed and failed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    /// Tests that did what they say.
    pub(crate) passed: usize,
    /// Tests that did not.
    pub(crate) failed: usize,
}

impl Count {
    /// Adds what one line of a runner's output says, if it is a closing line.
    ///
    /// Known are cargo test (`test result: ok. 3 passed; 0 failed; …`), vitest (`Tests  1 failed | 3 passed (4)`)
    /// and the plain line `3 passed, 0 failed` that our own scripts print.
    pub(crate) fn read(&mut self, line: &str) {
        let line = strip_colours(line);
        let line = line.trim();
        let closing = line.starts_with("test result:") || is_vitest(line) || is_plain(line);
        if closing {
            self.passed += before(line, "passed");
            self.failed += before(line, "failed");
        }
    }

    /// Adds another count.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

fn is_vitest(line: &str) -> bool {
    line.strip_prefix("Tests")
        .is_some_and(|rest| rest.starts_with("  "))
}

fn is_plain(line: &str) -> bool {
    let mut words = line.split([' ', ',']).filter(|word| !word.is_empty());
    let number = |word: Option<&str>| word.is_some_and(|word| word.parse::<usize>().is_ok());
    number(words.next())
        && words.next() == Some("passed")
        && number(words.next())
        && words.next() == Some("failed")
}

/// The number right before `word`, or 0.
fn before(line: &str, word: &str) -> usize {
    let words: Vec<&str> = line
        .split([' ', ',', ';', '.', '|'])
        .filter(|word| !word.is_empty())
        .collect();
    words
        .windows(2)
        .find(|pair| pair[1] == word)
        .and_then(|pair| pair[0].parse().ok())
        .unwrap_or(0)
}

/// Without the escape sequences that colour a terminal (`ESC [ … m`).
pub(crate) fn strip_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            for c in rest.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Count {
        let mut count = Count::default();
        for line in lines {
            count.read(line);
        }
        count
    }

    #[test]
    fn adds_the_closing_lines_of_each_runner() {
        let count = of(&[
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s",
            "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[31m1 failed\u{1b}[39m | 20 passed\u{1b}[22m (21)",
            "7 passed, 2 failed",
        ]);
        assert_eq!(
            count,
            Count {
                passed: 39,
                failed: 3
            }
        );
    }

    #[test]
    fn other_lines_count_nothing() {
        let count = of(&[
            "test rings_once ... ok",
            " Test Files  3 passed (3)",
            "3 passed the gate, 4 failed to",
            "",
        ]);
        assert_eq!(count, Count::default());
    }
}
