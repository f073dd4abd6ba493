//! A SUB that counts what it gets, and tells while it comes.
//!
//! | reads | answers |
//! | --- | --- |
//! | `stats` | `stats`: `received`, `wrong`, `repeated`, `disordered`, `ranges`, `dropped`, `topics` |
//! | `subscribe TOPIC`, `unsubscribe TOPIC` | `done` |
//! | `connect`, `disconnect` | `done`: the one publisher it knows |
//!
//! With `--progress-ms N` it tells `progress`, in the form of `stats`, when something came.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use libmsg::hooks::token::ClientHook;
use libmsg::{Address, PubMessage, SubOptions, SubSocket};

use crate::arguments::Arguments;
use crate::input::{self, Command};
use crate::numbered::{self, Seen};
use crate::output::{counts, quoted, tell};
use crate::roles::Carrier;

#[derive(Default)]
struct Counts {
    received: u64,
    wrong: u64,
    seen: Seen,
    topics: BTreeMap<String, u64>,
}

impl Counts {
    fn add<A: Address>(&mut self, message: &PubMessage<A>) {
        self.received += 1;
        *self.topics.entry(message.topic().to_string()).or_default() += 1;
        match numbered::number_of(message.payload()) {
            Some(number) => self.seen.add(number),
            None => self.wrong += 1,
        }
    }

    fn tell(&self, event: &str, dropped: usize) {
        tell(
            event,
            &[
                ("received", self.received.to_string()),
                ("wrong", self.wrong.to_string()),
                ("repeated", self.seen.repeated.to_string()),
                ("disordered", self.seen.disordered.to_string()),
                ("ranges", self.seen.json()),
                ("dropped", dropped.to_string()),
                ("topics", counts(self.topics.iter())),
            ],
        );
    }
}

/// `--topic TOPIC` several times, `--token TOKEN`, `--backoff-ms N`.
pub async fn play<T: Carrier<A>, A: Address>(arguments: &Arguments, transport: T, place: A) {
    let mut options = SubOptions::default();
    if let Some(backoff) = arguments.milliseconds("backoff-ms") {
        options = options.with_initial_backoff(backoff);
    }
    let mut subscriber = SubSocket::with_options(transport, options);
    if let Some(token) = arguments.text("token") {
        let token = Bytes::copy_from_slice(token.as_bytes());
        subscriber = subscriber.with_connection_hook(ClientHook::new(token));
    }
    for topic in arguments.all("topic") {
        subscriber.subscribe(topic).await.expect("subscribe");
    }
    subscriber
        .connect_inner(place.clone())
        .await
        .expect("connect");
    tell("connecting", &[]);
    let pause = arguments
        .milliseconds("progress-ms")
        .unwrap_or(Duration::MAX);
    let mut counts = Counts::default();
    let mut told = 0;
    let mut commands = input::commands();
    loop {
        tokio::select! {
            Some(message) = subscriber.next() => counts.add(&message),
            Some(command) = commands.recv() => {
                if command.name() == "stats" {
                    counts.tell("stats", subscriber.stats().dropped_messages_total());
                } else {
                    obey(&mut subscriber, &place, &command).await;
                }
            }
            () = tokio::time::sleep(pause), if counts.received > told => {
                told = counts.received;
                counts.tell("progress", subscriber.stats().dropped_messages_total());
            }
            else => return,
        }
    }
}

async fn obey<T: Carrier<A>, A: Address>(
    subscriber: &mut SubSocket<T, A>,
    place: &A,
    command: &Command,
) {
    let outcome = match command.name() {
        "subscribe" => subscriber.subscribe(command.word(1)).await,
        "unsubscribe" => subscriber.unsubscribe(command.word(1)).await,
        "connect" => subscriber.connect_inner(place.clone()).await,
        "disconnect" => subscriber.disconnect_inner(place.clone()).await,
        other => return tell("unknown", &[("command", quoted(other))]),
    };
    match outcome {
        Ok(()) => tell("done", &[]),
        Err(error) => tell("failed", &[("error", quoted(&format!("{error:?}")))]),
    }
}
