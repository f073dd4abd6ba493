//! TLS as an application of libmsg sets it up: PEM files for OpenSSL.

use std::sync::Arc;

use libmsg::tcp_tls::{TcpTls, config};
use openssl::ssl::{SslAcceptor, SslConnector, SslContextBuilder, SslFiletype, SslMethod};
use openssl::ssl::{SslVerifyMode, SslVersion};

use crate::arguments::{Arguments, misused};

/// `--cert FILE --key FILE`, and `--ca FILE` to ask clients for a certificate.
pub fn server(arguments: &Arguments) -> TcpTls {
    let mut builder =
        SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).expect("acceptor");
    show_certificate(&mut builder, arguments);
    limit_versions(&mut builder, arguments);
    if let Some(ca) = arguments.text("ca") {
        builder.set_ca_file(ca).expect("--ca");
        builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    TcpTls::new_server(config::Server::new(Arc::new(builder.build())))
}

/// `--ca FILE`, `--server-name NAME`, and `--cert FILE --key FILE` for a server that asks.
pub fn client(arguments: &Arguments) -> TcpTls {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).expect("connector");
    show_certificate(&mut builder, arguments);
    limit_versions(&mut builder, arguments);
    if let Some(ca) = arguments.text("ca") {
        builder.set_ca_file(ca).expect("--ca");
    }
    let name = arguments.text("server-name").unwrap_or("localhost");
    let config = config::Client::new(name.to_string());
    TcpTls::new_client(config.with_ssl_connector(builder.build()))
}

fn show_certificate(builder: &mut SslContextBuilder, arguments: &Arguments) {
    let Some(cert) = arguments.text("cert") else {
        return;
    };
    builder.set_certificate_chain_file(cert).expect("--cert");
    builder
        .set_private_key_file(arguments.required("key"), SslFiletype::PEM)
        .expect("--key");
}

/// `--tls 1.2` or `--tls 1.3`; both without it.
fn limit_versions(builder: &mut SslContextBuilder, arguments: &Arguments) {
    let version = match arguments.text("tls") {
        None => return,
        Some("1.2") => SslVersion::TLS1_2,
        Some("1.3") => SslVersion::TLS1_3,
        Some(other) => misused(&format!("--tls {other} is neither 1.2 nor 1.3")),
    };
    builder.set_min_proto_version(Some(version)).expect("--tls");
    builder.set_max_proto_version(Some(version)).expect("--tls");
}
