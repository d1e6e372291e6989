//! Names of files that come from others, made harmless.

/// Longest name kept, bytes. Most file systems take 255; what is added to make it unique needs room.
const LONGEST: usize = 150;

/// Names that Windows keeps for devices, whatever follows the dot.
const RESERVED: &[&str] = &[
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// A name that is one file in one folder on every system: no separators, no control or direction characters (which
/// make `exe.gpj` read as `jpg.exe`), not hidden, not reserved, not too long.
#[must_use]
pub(crate) fn harmless(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let mut clean: String = last
        .chars()
        .map(|letter| match letter {
            '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
            other => other,
        })
        .filter(|letter| !letter.is_control() && !is_direction(*letter))
        .collect();
    // A dot in front hides it; dots and spaces at the end are lost on Windows.
    clean = clean
        .trim_start_matches(['.', ' '])
        .trim_end_matches(['.', ' '])
        .to_owned();
    let stem = clean
        .split('.')
        .next()
        .unwrap_or("")
        .trim_end()
        .to_lowercase();
    if RESERVED.contains(&stem.as_str()) {
        clean.insert(0, '_');
    }
    if clean.is_empty() {
        clean.push_str("file");
    }
    shorten(&clean)
}

/// Keeps what follows the last dot, because it says what the file is.
fn shorten(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if ending.len() <= 16 => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    let mut end = (LONGEST - ending.len()).min(stem.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", &stem[..end])
}

/// Characters that change the direction of what follows (UAX #9), or are not seen at all.
fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_others_become_one_harmless_file() {
        for (given, expected) in [
            ("report.pdf", "report.pdf"),
            ("../../.bashrc", "bashrc"),
            ("C:\\Windows\\system32\\evil.dll", "evil.dll"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            ("con.txt", "_con.txt"),
            ("NUL", "_NUL"),
            ("", "file"),
            ("...", "file"),
            ("a\0b\nc.txt", "abc.txt"),
            ("what?.txt ", "what_.txt"),
            ("übersicht 2.xlsx", "übersicht 2.xlsx"),
        ] {
            assert_eq!(harmless(given), expected, "{given:?}");
        }
        let long = harmless(&format!("{}.tar.gz", "ü".repeat(400)));
        assert!(long.len() <= LONGEST && long.ends_with(".gz"));
    }
}
