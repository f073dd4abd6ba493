export { SelfSignedIdentity } from "../quic/self-signed-identity.ts";
export { certificateOf, PeerCertificate } from "./peer-certificate.ts";
export { Tls } from "./tls.ts";
export type {
  ClientCertificates,
  Pem,
  SniLookup,
  TlsCertificates,
  TlsIdentity,
  TlsOptions,
  TlsVersion,
} from "./tls-options.ts";
