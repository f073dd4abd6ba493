//! A REP that answers each request with its own payload.
//!
//! Three texts are taken otherwise: `drop` is never answered, `slow MILLISECONDS` is answered late,
//! `grow BYTES` is answered with so many zeros.
//!
//! | reads | answers |
//! | --- | --- |
//! | `stats` | `stats`: `requests`, `clients`, `repeated` and the `ranges` of numbered payloads |

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use libmsg::hooks::token::ServerHook;
use libmsg::{Address, RepOptions, RepSocket, Request};

use crate::arguments::Arguments;
use crate::compression;
use crate::input;
use crate::numbered::{self, Seen};
use crate::output::{quoted, tell};
use crate::roles::Carrier;

/// `--token TOKEN` lets nobody else in; `--max-clients N`; `--compressor NAME`.
pub async fn play<T: Carrier<A>, A: Address>(
    arguments: &Arguments,
    transport: T,
    place: A,
    shown: fn(&A) -> String,
) {
    let mut options = RepOptions::balanced();
    if let Some(count) = arguments.number("max-clients") {
        options = options.with_max_clients(count);
    }
    let mut rep = RepSocket::with_options(transport, options);
    if let Some(compressor) = compression::chosen(arguments) {
        rep = rep.with_compressor(compressor);
    }
    if let Some(token) = arguments.text("token").map(String::from) {
        let hook = ServerHook::new(move |shown| shown[..] == *token.as_bytes());
        rep = rep.with_connection_hook(hook);
    }
    rep.try_bind(vec![place]).await.expect("bind");
    let address = shown(rep.local_addr().expect("bound"));
    tell("bound", &[("address", quoted(&address))]);
    let mut commands = input::commands();
    let mut requests = 0u64;
    let mut seen = Seen::default();
    loop {
        tokio::select! {
            Some(request) = rep.next() => {
                requests += 1;
                if let Some(number) = numbered::number_of(request.msg()) {
                    seen.add(number);
                }
                answer(request);
            }
            Some(_) = commands.recv() => {
                let clients = rep.stats().active_clients();
                tell("stats", &[
                    ("requests", requests.to_string()),
                    ("clients", clients.to_string()),
                    ("repeated", seen.repeated.to_string()),
                    ("ranges", seen.json()),
                ]);
            }
            else => return,
        }
    }
}

fn answer<A: Address>(request: Request<A>) {
    let payload = request.msg().clone();
    let text = std::str::from_utf8(&payload).unwrap_or_default();
    // Whoever asked may be gone: that a reply cannot be given is no failure here.
    if text == "drop" {
    } else if let Some(bytes) = number_behind(text, "grow ") {
        let _ = request.respond(Bytes::from(vec![0; bytes]));
    } else if let Some(wait) = number_behind(text, "slow ") {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(wait as u64)).await;
            let _ = request.respond(payload);
        });
    } else {
        let _ = request.respond(payload);
    }
}

fn number_behind(text: &str, word: &str) -> Option<usize> {
    text.strip_prefix(word)?.parse().ok()
}
