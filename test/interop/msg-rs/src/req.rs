//! A REQ that asks what it is told to.
//!
//! | reads | answers |
//! | --- | --- |
//! | `ask TEXT` | `answered`: `text`, `ms`; or `failed`: `error`, `ms` |
//! | `run COUNT IN_FLIGHT SIZE FIRST` | `ran`: `sent`, `right`, `wrong`, and `failed` by error |

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;
use futures::StreamExt;
use libmsg::hooks::token::ClientHook;
use libmsg::{Address, ReqError, ReqOptions, ReqSocket};

use crate::arguments::Arguments;
use crate::compression;
use crate::input::{self, Command};
use crate::numbered;
use crate::output::{counts, quoted, tell};
use crate::roles::Carrier;

/// `--token TOKEN`, `--compressor NAME`, `--min-compress BYTES`, `--timeout-ms N`, `--backoff-ms N`.
pub async fn play<T: Carrier<A>, A: Address>(arguments: &Arguments, transport: T, place: A) {
    let mut options = ReqOptions::balanced();
    if let Some(timeout) = arguments.milliseconds("timeout-ms") {
        options = options.with_timeout(timeout);
    }
    if let Some(backoff) = arguments.milliseconds("backoff-ms") {
        options = options.with_backoff_duration(backoff);
    }
    if let Some(bytes) = arguments.number("min-compress") {
        options = options.with_min_compress_size(bytes);
    }
    let mut req = ReqSocket::with_options(transport, options);
    if let Some(compressor) = compression::chosen(arguments) {
        req = req.with_compressor(compressor);
    }
    if let Some(token) = arguments.text("token") {
        let token = Bytes::copy_from_slice(token.as_bytes());
        req = req.with_connection_hook(ClientHook::new(token));
    }
    req.try_connect(place).await.expect("connect");
    tell("connecting", &[]);
    let mut commands = input::commands();
    while let Some(command) = commands.recv().await {
        match command.name() {
            "ask" => ask(&req, command.rest(1)).await,
            "run" => ask_all(&req, &command).await,
            other => tell("unknown", &[("command", quoted(other))]),
        }
    }
}

async fn ask<T: Carrier<A>, A: Address>(req: &ReqSocket<T, A>, text: String) {
    let begin = Instant::now();
    let outcome = req.request(Bytes::from(text)).await;
    let ms = ("ms", begin.elapsed().as_millis().to_string());
    match outcome {
        Ok(reply) => {
            let text = quoted(&String::from_utf8_lossy(&reply));
            tell("answered", &[("text", text), ms]);
        }
        Err(error) => tell("failed", &[("error", quoted(&name_of(&error))), ms]),
    }
}

async fn ask_all<T: Carrier<A>, A: Address>(req: &ReqSocket<T, A>, command: &Command) {
    let count: u64 = command.number(1, 1);
    let in_flight = command.number(2, 1);
    let size = command.number(3, 100);
    let first: u64 = command.number(4, 0);
    let mut right = 0u64;
    let mut wrong = 0u64;
    let mut failed: BTreeMap<String, u64> = BTreeMap::new();
    let mut outcomes = futures::stream::iter(first..first + count)
        .map(|number| async move {
            let outcome = req.request(numbered::payload(number, size)).await;
            outcome.map(|reply| reply == numbered::payload(number, size))
        })
        .buffer_unordered(in_flight);
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(true) => right += 1,
            Ok(false) => wrong += 1,
            Err(error) => *failed.entry(name_of(&error)).or_default() += 1,
        }
    }
    tell(
        "ran",
        &[
            ("sent", count.to_string()),
            ("right", right.to_string()),
            ("wrong", wrong.to_string()),
            ("failed", counts(failed.iter())),
        ],
    );
}

/// The names of the variants, without what they hold.
fn name_of(error: &ReqError) -> String {
    format!("{error:?}")
}
