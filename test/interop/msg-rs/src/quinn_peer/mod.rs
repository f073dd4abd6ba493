//! A QUIC peer over quinn. It knows nothing of messages: it echoes streams, or has them echoed.
//!
//!     msg-rs-peer quinn serve --cert PATH --key PATH [--ca PATH] [--retry] [--alpn msg]
//!     msg-rs-peer quinn dial ADDRESS [--name localhost] [--ca PATH | --insecure]
//!                [--cert PATH --key PATH] [--bytes 20000000] [--idle-ms 0] [--alpn msg]
//!
//! `serve` prints `listening ADDRESS`, then what became of each connection, until it is killed.
//! `dial` opens one stream, sends, reads as much back, and prints `echoed BYTES SHA256`. With
//! `--idle-ms` it then waits, and asks for one more byte. It ends with 1 and says why if it fails.

mod options;
mod tls;

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use options::Options;
use quinn::{Connection, Endpoint, Incoming, RecvStream, SendStream};
use ring::digest::{Context, SHA256};

pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const CHUNK_BYTES: usize = 64 * 1024;
const DEADLINE: Duration = Duration::from_secs(60);

/// Does what the words say; ends the program with 1 and says why if it fails.
pub async fn run(words: &[String]) {
    if let Err(error) = obey(words).await {
        eprintln!("Error: {error}");
        std::process::exit(1);
    }
}

async fn obey(words: &[String]) -> Outcome<()> {
    let options = Options::parse(words)?;
    match options.command() {
        "serve" => serve(&options).await,
        "dial" => tokio::time::timeout(DEADLINE, dial(&options)).await?,
        other => Err(format!("{other} is not a command: serve or dial").into()),
    }
}

async fn serve(options: &Options) -> Outcome<()> {
    let endpoint = Endpoint::server(
        tls::server(options)?,
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
    )?;
    println!("listening {}", endpoint.local_addr()?);
    let wants_retry = options.has("retry");
    while let Some(incoming) = endpoint.accept().await {
        if wants_retry && !incoming.remote_address_validated() {
            incoming.retry().map_err(|_| "retry was not possible")?;
            println!("retried");
            continue;
        }
        tokio::spawn(async move {
            let outcome = serve_one(incoming).await;
            println!(
                "ended {}",
                outcome.map_or_else(|error| error.to_string(), |()| "".into())
            );
        });
    }
    Ok(())
}

async fn serve_one(incoming: Incoming) -> Outcome<()> {
    let connection = incoming.await?;
    println!(
        "connected {} certificates {}",
        tls::alpn_of(&connection),
        tls::shown_by(&connection)
    );
    loop {
        let (send, receive) = connection.accept_bi().await?;
        tokio::spawn(echo(send, receive));
    }
}

/// Ends its side when the peer does; what else goes wrong ends the stream, and is the peer's to see.
async fn echo(mut send: SendStream, mut receive: RecvStream) -> Outcome<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Some(count) = receive.read(&mut chunk).await? {
        send.write_all(&chunk[..count]).await?;
    }
    Ok(send.finish()?)
}

async fn dial(options: &Options) -> Outcome<()> {
    let mut endpoint = Endpoint::client(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    endpoint.set_default_client_config(tls::client(options)?);
    let address: SocketAddr = options.address()?.parse()?;
    let name = options.value("name").unwrap_or("localhost");
    let connection = endpoint.connect(address, name)?.await?;
    println!(
        "connected {} certificates {}",
        tls::alpn_of(&connection),
        tls::shown_by(&connection)
    );
    talk(&connection, options).await?;
    connection.close(7u32.into(), b"done");
    endpoint.wait_idle().await;
    Ok(())
}

async fn talk(connection: &Connection, options: &Options) -> Outcome<()> {
    let bytes = options.number("bytes", 20_000_000)?;
    let (mut send, mut receive) = connection.open_bi().await?;
    let (sent, received) =
        tokio::try_join!(send_all(&mut send, bytes), read_all(&mut receive, bytes))?;
    if sent != received {
        return Err(format!("sent {sent}, received {received}").into());
    }
    println!("echoed {bytes} {received}");
    let idle_ms = options.number("idle-ms", 0)?;
    if idle_ms > 0 {
        tokio::time::sleep(Duration::from_millis(idle_ms as u64)).await;
        tokio::try_join!(send_all(&mut send, 1), read_all(&mut receive, 1))?;
        println!("alive after {idle_ms} ms");
    }
    Ok(())
}

/// Bytes that are never the same twice in a row, and the same in each run.
async fn send_all(send: &mut SendStream, bytes: usize) -> Outcome<String> {
    let mut hash = Context::new(&SHA256);
    let mut state = 1u64;
    let mut left = bytes;
    while left > 0 {
        let chunk: Vec<u8> = (0..left.min(CHUNK_BYTES))
            .map(|_| next_byte(&mut state))
            .collect();
        hash.update(&chunk);
        send.write_all(&chunk).await?;
        left -= chunk.len();
    }
    Ok(hex(hash))
}

async fn read_all(receive: &mut RecvStream, bytes: usize) -> Outcome<String> {
    let mut hash = Context::new(&SHA256);
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut left = bytes;
    while left > 0 {
        let room = left.min(CHUNK_BYTES);
        let count = receive
            .read(&mut chunk[..room])
            .await?
            .ok_or("the stream ended early")?;
        hash.update(&chunk[..count]);
        left -= count;
    }
    Ok(hex(hash))
}

/// The generator of Knuth's MMIX; its high byte.
fn next_byte(state: &mut u64) -> u8 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 56) as u8
}

fn hex(hash: Context) -> String {
    hash.finish()
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
