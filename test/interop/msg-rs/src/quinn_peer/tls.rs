//! Certificates from files, and what is known of a peer's.

use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::{HandshakeData, QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Connection, ServerConfig, TransportConfig};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::Outcome;
use super::options::Options;

type Chain = Vec<CertificateDer<'static>>;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn identity(options: &Options) -> Outcome<(Chain, PrivateKeyDer<'static>)> {
    let cert: Result<Chain, _> =
        CertificateDer::pem_file_iter(options.required("cert")?)?.collect();
    Ok((
        cert?,
        PrivateKeyDer::from_pem_file(options.required("key")?)?,
    ))
}

fn roots(options: &Options) -> Outcome<Arc<RootCertStore>> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(options.required("ca")?)? {
        store.add(certificate?)?;
    }
    Ok(Arc::new(store))
}

fn transport(options: &Options) -> Outcome<Arc<TransportConfig>> {
    let mut config = TransportConfig::default();
    let idle_timeout = Duration::from_millis(options.number("idle-timeout-ms", 30_000)? as u64);
    config.max_idle_timeout(Some(idle_timeout.try_into()?));
    Ok(Arc::new(config))
}

fn protocols(options: &Options) -> Vec<Vec<u8>> {
    vec![options.value("alpn").unwrap_or("msg").into()]
}

pub fn server(options: &Options) -> Outcome<ServerConfig> {
    let (cert, key) = identity(options)?;
    let builder = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?;
    let builder = if options.has("ca") {
        let verifier = WebPkiClientVerifier::builder_with_provider(roots(options)?, provider());
        builder.with_client_cert_verifier(verifier.build()?)
    } else {
        builder.with_no_client_auth()
    };
    let mut tls = builder.with_single_cert(cert, key)?;
    tls.alpn_protocols = protocols(options);
    let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    config.transport_config(transport(options)?);
    Ok(config)
}

pub fn client(options: &Options) -> Outcome<ClientConfig> {
    let builder = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?;
    let builder = if options.has("insecure") {
        let verifier = Arc::new(AnyCertificate(provider()));
        builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
    } else {
        builder.with_root_certificates(roots(options)?)
    };
    let mut tls = if options.has("cert") {
        let (cert, key) = identity(options)?;
        builder.with_client_auth_cert(cert, key)?
    } else {
        builder.with_no_client_auth()
    };
    tls.alpn_protocols = protocols(options);
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    config.transport_config(transport(options)?);
    Ok(config)
}

pub fn alpn_of(connection: &Connection) -> String {
    let data = connection
        .handshake_data()
        .and_then(|any| any.downcast::<HandshakeData>().ok());
    let protocol = data.and_then(|data| data.protocol).unwrap_or_default();
    String::from_utf8_lossy(&protocol).into_owned()
}

/// How many certificates the peer showed.
pub fn shown_by(connection: &Connection) -> usize {
    let chain = connection
        .peer_identity()
        .and_then(|any| any.downcast::<Chain>().ok());
    chain.map_or(0, |chain| chain.len())
}

/// Takes every server, as msg-rs does, but checks that it has the key of what it shows.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let schemes = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, schemes)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let schemes = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, schemes)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
