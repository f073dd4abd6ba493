export { SelfSignedIdentity } from "../certificates/self-signed-identity.ts";
export { certificateOf, PeerCertificate } from "../certificates/peer-certificate.ts";
export type { CertificateOptions, Pem, TlsIdentity } from "../certificates/certificate-options.ts";
export { Tls } from "./tls.ts";
export type {
  ClientCertificates,
  SniLookup,
  TlsCertificates,
  TlsOptions,
  TlsVersion,
} from "./tls-options.ts";
