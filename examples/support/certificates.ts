/**
 * Certificates for the examples, made anew in each process. An application reads its own from
 * files: docs/transports/tls.md says how to make them.
 */
export { TestAuthority } from "@msg-ts/testing/certificates";
