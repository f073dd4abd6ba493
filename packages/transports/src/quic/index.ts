export { certificateOf, PeerCertificate } from "../certificates/peer-certificate.ts";
export type { QuicEngine } from "./engine.ts";
export { Quic } from "./quic.ts";
export type { QuicCertificates, QuicOptions } from "./quic-options.ts";
