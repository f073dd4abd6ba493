/** PEM text, or its bytes. */
export type Pem = string | Uint8Array;

/** A certificate and the private key that belongs to it. */
export interface TlsIdentity {
  /** The certificate, and behind it those between it and the root: one file in the usual form. */
  readonly cert: Pem;
  readonly key: Pem;
  /** Decrypts `key`, if it is encrypted. */
  readonly passphrase?: string | undefined;
}

/** What every transport with certificates is given in the same way. */
export interface CertificateOptions {
  /** The private key that belongs to `cert`. @defaultValue none */
  readonly key?: Pem | undefined;

  /** Decrypts `key`, if it is encrypted. @defaultValue none */
  readonly passphrase?: string | undefined;

  /**
   * The authorities that we trust, instead of Node's own: to issue the certificates of servers when
   * we dial, and those of clients when we listen.
   *
   * @defaultValue the authorities that Node.js brings, when dialing without `pins`
   */
  readonly ca?: Pem | readonly Pem[] | undefined;
}
