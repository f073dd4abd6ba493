//! msg-rs as a contender of the bench:
//! `msg-rs-peer bench <pattern> <end> <transport> <address> <size> <count>`
//!
//! It speaks the lines of bench/harness/child.ts: a line of JSON when it is ready, and one for each
//! word on its input ("start", "mark"). It ends when its input does.

use std::io::BufRead;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use libmsg::ipc::Ipc;
use libmsg::quic::Quic;
use libmsg::tcp::Tcp;
use libmsg::{Address, PubSocket, RepSocket, ReqSocket, SubSocket, Transport};

use crate::arguments::misused;
use crate::output::say;

const TOPIC: &str = "bench";

static MESSAGES: AtomicU64 = AtomicU64::new(0);
/// Every payload has these; one that has not ends the program.
static PAYLOAD_BYTES: AtomicU64 = AtomicU64::new(0);
static STARTED: AtomicBool = AtomicBool::new(false);
/// Round trips since the last mark, in microseconds.
static TRIPS: Mutex<Vec<f64>> = Mutex::new(Vec::new());

fn count(payload: &Bytes) {
    assert_eq!(
        payload.len() as u64,
        PAYLOAD_BYTES.load(Relaxed),
        "a payload of another size"
    );
    MESSAGES.fetch_add(1, Relaxed);
}

fn cpu_micros() -> i64 {
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let micros = |time: libc::timeval| time.tv_sec * 1_000_000 + time.tv_usec;
    micros(usage.ru_utime) + micros(usage.ru_stime)
}

fn quantiles() -> String {
    let mut trips = std::mem::take(&mut *TRIPS.lock().unwrap());
    if trips.is_empty() {
        return String::new();
    }
    trips.sort_by(f64::total_cmp);
    let at = |share: f64| trips[((share * trips.len() as f64).ceil() as usize).max(1) - 1];
    let (p50, p99, p999) = (at(0.5), at(0.99), at(0.999));
    format!(r#","p50Micros":{p50:.2},"p99Micros":{p99:.2},"p999Micros":{p999:.2}"#)
}

fn mark(begin: Instant) -> String {
    let at = begin.elapsed().as_secs_f64() * 1e3;
    let messages = MESSAGES.load(Relaxed);
    let bytes = messages * PAYLOAD_BYTES.load(Relaxed);
    let (cpu, trips) = (cpu_micros(), quantiles());
    format!(r#"{{"atMs":{at:.3},"messages":{messages},"bytes":{bytes},"cpuMicros":{cpu}{trips}}}"#)
}

/// Says that this end is ready, and answers words from then on.
fn say_ready(address: &str) {
    say(&format!(r#"{{"address":"{address}"}}"#));
    std::thread::spawn(|| {
        let begin = Instant::now();
        for word in std::io::stdin().lock().lines().map_while(Result::ok) {
            say(&if word == "mark" {
                mark(begin)
            } else {
                String::from("{}")
            });
            STARTED.store(true, Relaxed);
        }
        std::process::exit(0);
    });
}

async fn answer<T: Transport<A>, A: Address>(transport: T, place: A, shown: fn(&A) -> String) {
    let mut rep = RepSocket::new(transport);
    rep.try_bind(vec![place]).await.expect("bind");
    say_ready(&shown(rep.local_addr().expect("bound")));
    while let Some(request) = rep.next().await {
        let payload = request.msg().clone();
        count(&payload);
        request.respond(payload).expect("respond");
    }
}

async fn ask<T: Transport<A>, A: Address>(
    transport: T,
    place: A,
    payload: Bytes,
    in_flight: usize,
) {
    let mut req = ReqSocket::new(transport);
    req.try_connect(place).await.expect("connect");
    say_ready("");
    futures::stream::repeat(())
        .map(|()| async {
            let sent = Instant::now();
            let answer = req.request(payload.clone()).await.expect("request");
            count(&answer);
            if in_flight == 1 {
                TRIPS
                    .lock()
                    .unwrap()
                    .push(sent.elapsed().as_secs_f64() * 1e6);
            }
        })
        .buffer_unordered(in_flight)
        .for_each(|()| async {})
        .await;
}

async fn publish<T: Transport<A>, A: Address>(
    transport: T,
    place: A,
    payload: Bytes,
    shown: fn(&A) -> String,
) {
    let mut publisher = PubSocket::new(transport);
    publisher.try_bind(vec![place]).await.expect("bind");
    say_ready(&shown(publisher.local_addr().expect("bound")));
    while !STARTED.load(Relaxed) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Nothing tells a PUB that its subscribers are there.
    tokio::time::sleep(Duration::from_millis(300)).await;
    loop {
        publisher
            .publish(TOPIC, payload.clone())
            .await
            .expect("publish");
        count(&payload);
        // A publish that never waits keeps the only thread from writing.
        tokio::task::yield_now().await;
    }
}

async fn subscribe<T: Transport<A> + Default, A: Address>(place: A, subscribers: usize) {
    let mut streams = Vec::new();
    for _ in 0..subscribers {
        let mut subscriber = SubSocket::new(T::default());
        subscriber
            .connect_inner(place.clone())
            .await
            .expect("connect");
        subscriber.subscribe(TOPIC).await.expect("subscribe");
        streams.push(subscriber);
    }
    say_ready("");
    let mut all = futures::stream::select_all(streams);
    while let Some(message) = all.next().await {
        count(message.payload());
    }
}

async fn play<T: Transport<A> + Default, A: Address>(
    args: &[String],
    place: A,
    shown: fn(&A) -> String,
) {
    let payload = Bytes::from(vec![1u8; args[4].parse().expect("size")]);
    PAYLOAD_BYTES.store(payload.len() as u64, Relaxed);
    let several: usize = args[5].parse().expect("count");
    match (args[0].as_str(), args[1].as_str()) {
        ("pub-sub", "sender") => publish(T::default(), place, payload, shown).await,
        ("pub-sub", _) => subscribe::<T, A>(place, several).await,
        (_, "sender") => ask(T::default(), place, payload, several).await,
        _ => answer(T::default(), place, shown).await,
    }
}

/// One end of one scenario.
pub async fn run(args: &[String]) {
    if args.len() != 6 {
        misused("bench <pattern> <end> <tcp|ipc|quic> <address> <size> <count>");
    }
    let address = args[3].as_str();
    let place = || -> SocketAddr { address.parse().expect("address") };
    match args[2].as_str() {
        "ipc" => {
            play::<Ipc, PathBuf>(args, address.into(), |path| path.display().to_string()).await
        }
        "quic" => play::<Quic, SocketAddr>(args, place(), SocketAddr::to_string).await,
        _ => play::<Tcp, SocketAddr>(args, place(), SocketAddr::to_string).await,
    }
}
