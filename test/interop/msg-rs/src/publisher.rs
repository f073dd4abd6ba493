//! A PUB that publishes what it is told to.
//!
//! | reads | answers |
//! | --- | --- |
//! | `publish TOPIC COUNT SIZE FIRST EVERY` | `published`: `count`; lets others run after each EVERY (1; 0: never) |
//! | `say TOPIC TEXT` | `published`: `count` |
//! | `stats` | `stats`: `clients` |

use bytes::Bytes;
use libmsg::hooks::token::ServerHook;
use libmsg::{Address, PubOptions, PubSocket};

use crate::arguments::Arguments;
use crate::compression;
use crate::input::{self, Command};
use crate::numbered;
use crate::output::{quoted, tell};
use crate::roles::Carrier;

/// `--token TOKEN`, `--compressor NAME`, `--min-compress BYTES`, `--high-water-mark N`.
pub async fn play<T: Carrier<A>, A: Address>(
    arguments: &Arguments,
    transport: T,
    place: A,
    shown: fn(&A) -> String,
) {
    let mut options = PubOptions::balanced();
    if let Some(bytes) = arguments.number("min-compress") {
        options = options.with_min_compress_size(bytes);
    }
    if let Some(count) = arguments.number("high-water-mark") {
        options = options.with_high_water_mark(count);
    }
    let mut publisher = PubSocket::with_options(transport, options);
    if let Some(compressor) = compression::chosen(arguments) {
        publisher = publisher.with_compressor(compressor);
    }
    if let Some(token) = arguments.text("token").map(String::from) {
        let hook = ServerHook::new(move |shown| shown[..] == *token.as_bytes());
        publisher = publisher.with_connection_hook(hook);
    }
    publisher.try_bind(vec![place]).await.expect("bind");
    let address = shown(publisher.local_addr().expect("bound"));
    tell("bound", &[("address", quoted(&address))]);
    let mut commands = input::commands();
    while let Some(command) = commands.recv().await {
        match command.name() {
            "publish" => publish(&publisher, &command).await,
            "say" => {
                let text = Bytes::from(command.rest(2));
                publisher
                    .publish(command.word(1), text)
                    .await
                    .expect("publish");
                tell("published", &[("count", String::from("1"))]);
            }
            "stats" => {
                let clients = publisher.stats().active_clients();
                tell("stats", &[("clients", clients.to_string())]);
            }
            other => tell("unknown", &[("command", quoted(other))]),
        }
    }
}

async fn publish<T: Carrier<A>, A: Address>(publisher: &PubSocket<T, A>, command: &Command) {
    let count: u64 = command.number(2, 1);
    let size = command.number(3, 100);
    let first: u64 = command.number(4, 0);
    let every: u64 = command.number(5, 1);
    for number in first..first + count {
        let payload = numbered::payload(number, size);
        publisher
            .publish(command.word(1), payload)
            .await
            .expect("publish");
        // A publish that never waits keeps the only thread from writing.
        if every > 0 && (number - first + 1).is_multiple_of(every) {
            tokio::task::yield_now().await;
        }
    }
    tell("published", &[("count", count.to_string())]);
}
