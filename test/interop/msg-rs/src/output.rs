//! Lines of JSON on standard output.

use std::fmt::Write as _;
use std::io::Write as _;

/// Writes one line; a reader that is gone ends the program.
pub fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")
        .and_then(|()| output.flush())
        .unwrap_or_else(|_| std::process::exit(1));
}

/// Writes an event with fields that are JSON already.
pub fn tell(event: &str, fields: &[(&str, String)]) {
    let mut line = format!("{{\"event\":{}", quoted(event));
    for (name, value) in fields {
        write!(line, ",{}:{value}", quoted(name)).expect("a string");
    }
    line.push('}');
    say(&line);
}

/// A JSON string.
pub fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\u{0}'..='\u{1f}' => write!(json, "\\u{:04x}", character as u32).expect("a string"),
            _ => json.push(character),
        }
    }
    json.push('"');
    json
}

/// A JSON object of counts.
pub fn counts<'a>(entries: impl Iterator<Item = (&'a String, &'a u64)>) -> String {
    let fields = entries.map(|(name, count)| format!("{}:{count}", quoted(name)));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}
