/** A Curve25519 key pair, 32 bytes each. */
export interface CurveKeys {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/**
 * What CURVE needs of cryptography: NaCl's `crypto_box` in its parts. The default is Node.js' X25519
 * with Salsa20 and Poly1305 of `@noble/ciphers`; a native or WebAssembly library goes here. The bytes
 * of a secret key are not changed while it is in use: what was made of them may be kept.
 */
export interface CurveCrypto {
  keyPair(): CurveKeys;
  publicKeyOf(secretKey: Uint8Array): Uint8Array;
  /**
   * NaCl's `crypto_box_beforenm`: HSalsa20 of what X25519 gives.
   *
   * @throws for a key that is no key.
   */
  sharedKey(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array;
  /** XSalsa20-Poly1305: 16 bytes more than `plain`, the MAC first. */
  seal(plain: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array;
  /** Undoes {@link seal}; `undefined` when the MAC is not right. */
  open(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | undefined;
  randomBytes(length: number): Uint8Array;
}
