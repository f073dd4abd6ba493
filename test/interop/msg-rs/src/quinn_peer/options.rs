//! The command line: a command, an address where it needs one, and options.

use std::collections::HashMap;

use super::Outcome;

pub struct Options {
    words: Vec<String>,
    values: HashMap<String, String>,
}

const FLAGS: [&str; 2] = ["retry", "insecure"];

impl Options {
    pub fn parse(all: &[String]) -> Outcome<Self> {
        let mut words = Vec::new();
        let mut values = HashMap::new();
        let mut rest = all.iter().cloned();
        while let Some(word) = rest.next() {
            match word.strip_prefix("--") {
                None => words.push(word),
                Some(flag) if FLAGS.contains(&flag) => {
                    values.insert(flag.into(), String::new());
                }
                Some(name) => {
                    let value = rest
                        .next()
                        .ok_or_else(|| format!("--{name} has no value"))?;
                    values.insert(name.into(), value);
                }
            }
        }
        Ok(Self { words, values })
    }

    pub fn command(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    pub fn address(&self) -> Outcome<&str> {
        self.words
            .get(1)
            .map(String::as_str)
            .ok_or_else(|| "no address is given".into())
    }

    pub fn has(&self, flag: &str) -> bool {
        self.values.contains_key(flag)
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub fn required(&self, name: &str) -> Outcome<&str> {
        self.value(name)
            .ok_or_else(|| format!("--{name} is not given").into())
    }

    pub fn number(&self, name: &str, otherwise: usize) -> Outcome<usize> {
        self.value(name)
            .map_or(Ok(otherwise), |text| Ok(text.parse()?))
    }
}
