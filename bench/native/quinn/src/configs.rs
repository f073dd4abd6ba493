//! Options of JavaScript, turned into configurations of quinn-proto and rustls.

use std::sync::Arc;
use std::time::Duration;

use napi::{Error, Result};
use napi_derive::napi;
use quinn_proto::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn_proto::{congestion, ClientConfig, MtuDiscoveryConfig, ServerConfig, TransportConfig, VarInt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{ring, CryptoProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme};

#[napi(object)]
pub struct EngineOptions {
    pub protocols: Vec<String>,
    /// PEM, with its chain.
    pub certificate: Option<String>,
    /// PEM, not encrypted.
    pub private_key: Option<String>,
    /// PEM: who may issue the certificate of the peer.
    pub authorities: Option<String>,
    /// "chain", "shown" or "none".
    pub verify: String,
    /// 0 for never.
    pub idle_timeout_ms: u32,
    pub stream_window_bytes: u32,
    pub max_streams: u32,
    pub max_control_streams: u32,
    pub max_datagram_bytes: u16,
    /// "cubic" or "bbr".
    pub congestion: String,
}

/// What is wrong with an option, as an error of JavaScript.
fn wrong(what: &str, error: impl std::fmt::Display) -> Error {
    Error::from_reason(format!("{what}: {error}"))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn certificates(what: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| wrong(what, error))
}

fn roots(pem: &str) -> Result<Arc<RootCertStore>> {
    let mut store = RootCertStore::empty();
    for certificate in certificates("authorities", pem)? {
        store.add(certificate).map_err(|error| wrong("authorities", error))?;
    }
    Ok(Arc::new(store))
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(options: &EngineOptions) -> Result<Option<Identity>> {
    let (Some(cert), Some(key)) = (&options.certificate, &options.private_key) else {
        return Ok(None);
    };
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| wrong("key", error))?;
    Ok(Some((certificates("cert", cert)?, key)))
}

/// What every path takes: a server may answer a first datagram with three times as much.
const SMALLEST_DATAGRAM_BYTES: u16 = 1_200;

fn transport(options: &EngineOptions) -> Result<Arc<TransportConfig>> {
    let mut config = TransportConfig::default();
    let idle = Duration::from_millis(options.idle_timeout_ms.into());
    let idle = idle.try_into().map_err(|error| wrong("idleTimeoutMs", error))?;
    config
        .max_idle_timeout((options.idle_timeout_ms > 0).then_some(idle))
        .stream_receive_window(options.stream_window_bytes.into())
        .receive_window(VarInt::MAX)
        .send_window(u64::from(options.stream_window_bytes) * 4)
        .max_concurrent_bidi_streams(options.max_streams.into())
        .max_concurrent_uni_streams(options.max_control_streams.into())
        .datagram_receive_buffer_size(None)
        .initial_mtu(SMALLEST_DATAGRAM_BYTES);
    let mut discovery = MtuDiscoveryConfig::default();
    discovery.upper_bound(options.max_datagram_bytes.max(SMALLEST_DATAGRAM_BYTES));
    config.mtu_discovery_config(Some(discovery));
    if options.congestion == "bbr" {
        config.congestion_controller_factory(Arc::new(congestion::BbrConfig::default()));
    }
    Ok(Arc::new(config))
}

fn protocols(options: &EngineOptions) -> Vec<Vec<u8>> {
    options.protocols.iter().map(|name| name.clone().into_bytes()).collect()
}

fn authorities(options: &EngineOptions) -> Result<Arc<RootCertStore>> {
    roots(options.authorities.as_deref().ok_or_else(|| wrong("authorities", "not given"))?)
}

pub fn server_config(options: &EngineOptions) -> Result<Arc<ServerConfig>> {
    let identity = identity(options)?;
    let (cert, key) = identity.ok_or_else(|| wrong("certificate", "not given"))?;
    let provider = provider();
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| wrong("TLS", error))?;
    let builder = match options.verify.as_str() {
        "chain" => {
            let roots = authorities(options)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| wrong("authorities", error))?)
        }
        "shown" => return Err(wrong("verify", "a server of this engine has no \"shown\"")),
        _ => builder.with_no_client_auth(),
    };
    let mut tls = builder
        .with_single_cert(cert, key)
        .map_err(|error| wrong("certificate and privateKey", error))?;
    tls.alpn_protocols = protocols(options);
    let crypto = QuicServerConfig::try_from(tls).map_err(|error| wrong("TLS", error))?;
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(transport(options)?);
    Ok(Arc::new(config))
}

pub fn client_config(options: &EngineOptions) -> Result<ClientConfig> {
    let provider = provider();
    let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| wrong("TLS", error))?;
    let builder = if options.verify == "chain" {
        builder.with_root_certificates(authorities(options)?)
    } else {
        let verifier = Arc::new(AnyCertificate(provider));
        builder.dangerous().with_custom_certificate_verifier(verifier)
    };
    let mut tls = match identity(options)? {
        Some((cert, key)) => builder
            .with_client_auth_cert(cert, key)
            .map_err(|error| wrong("certificate and privateKey", error))?,
        None => builder.with_no_client_auth(),
    };
    tls.alpn_protocols = protocols(options);
    let crypto = QuicClientConfig::try_from(tls).map_err(|error| wrong("TLS", error))?;
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(transport(options)?);
    Ok(config)
}

/// Checks that the server has the key of the certificate that it shows, and nothing else of it.
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
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let schemes = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, schemes)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let schemes = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, schemes)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
