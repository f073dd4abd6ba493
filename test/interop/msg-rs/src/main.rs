//! A peer that speaks msg-rs: one socket of `libmsg`, behind a command line.
//!
//! ```text
//! msg-rs-peer rep|req|pub|sub --transport tcp|ipc|tls|quic --address ADDRESS [--name value]...
//! msg-rs-peer bench <pattern> <end> <transport> <address> <size> <count>
//! msg-rs-peer quinn serve|dial ...
//! ```
//!
//! It writes lines of JSON and reads lines of words; each role says which. It ends when its input
//! does. README.md beside this crate tells it all.

mod arguments;
mod bench;
mod compression;
mod input;
mod numbered;
mod output;
mod publisher;
mod quinn_peer;
mod rep;
mod req;
mod roles;
mod subscriber;
mod tls;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // One thread: what a role does and what libmsg does take turns, so nothing is lost inside by chance.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("runtime");
    runtime.block_on(async {
        match words.split_first() {
            Some((first, rest)) if first == "bench" => bench::run(rest).await,
            Some((first, rest)) if first == "quinn" => quinn_peer::run(rest).await,
            _ => roles::run(&arguments::Arguments::parse(&words)).await,
        }
    });
}
