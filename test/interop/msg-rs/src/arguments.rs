//! `role --name value --name value ...`: a name may be given several times.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

/// What one peer was told on its command line.
pub struct Arguments {
    pub role: String,
    named: Vec<(String, String)>,
}

/// Ends the program: what a person typed was wrong.
pub fn misused(what: &str) -> ! {
    eprintln!("msg-rs-peer: {what}");
    eprintln!("usage: msg-rs-peer rep|req|pub|sub --transport tcp|ipc|tls|quic --address ADDRESS");
    std::process::exit(2);
}

impl Arguments {
    pub fn parse(words: &[String]) -> Self {
        let Some((role, rest)) = words.split_first() else {
            misused("no role");
        };
        let named = rest.chunks(2).map(|pair| match pair {
            [name, value] if name.starts_with("--") => (name[2..].to_string(), value.clone()),
            _ => misused(&format!("not a name with a value: {}", pair.join(" "))),
        });
        Self {
            role: role.clone(),
            named: named.collect(),
        }
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        let values = self.named.iter().filter(|(known, _)| known == name);
        values.map(|(_, value)| value.as_str()).collect()
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.all(name).last().copied()
    }

    pub fn required(&self, name: &str) -> &str {
        self.text(name)
            .unwrap_or_else(|| misused(&format!("--{name} is missing")))
    }

    pub fn number(&self, name: &str) -> Option<usize> {
        let text = self.text(name)?;
        let number = text.parse();
        Some(number.unwrap_or_else(|_| misused(&format!("--{name} is {text}, not a number"))))
    }

    pub fn milliseconds(&self, name: &str) -> Option<Duration> {
        Some(Duration::from_millis(self.number(name)? as u64))
    }

    /// `--address`, for a transport that has a host and a port.
    pub fn socket_address(&self) -> SocketAddr {
        let text = self.required("address");
        let first = text.to_socket_addrs().ok().and_then(|mut all| all.next());
        first.unwrap_or_else(|| misused(&format!("--address {text} is no host and port")))
    }
}
