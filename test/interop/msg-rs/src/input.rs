//! Lines of words on standard input.

use std::io::BufRead;
use std::str::FromStr;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// One line, split at spaces.
pub struct Command {
    words: Vec<String>,
}

impl Command {
    pub fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    pub fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", String::as_str)
    }

    /// The words from `index` on.
    pub fn rest(&self, index: usize) -> String {
        self.words.get(index..).unwrap_or(&[]).join(" ")
    }

    /// A number, or `otherwise` where there is none.
    pub fn number<N: FromStr>(&self, index: usize, otherwise: N) -> N {
        self.word(index).parse().unwrap_or(otherwise)
    }
}

/// The lines of standard input; the program ends with it.
pub fn commands() -> UnboundedReceiver<Command> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let words = line.split(' ').map(String::from).collect();
            let _ = sender.send(Command { words });
        }
        std::process::exit(0);
    });
    receiver
}
