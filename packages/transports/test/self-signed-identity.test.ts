import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { pinOf, resolvePins } from "../src/certificates/public-key-pin.ts";
import { SelfSignedIdentity } from "../src/certificates/self-signed-identity.ts";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** What the command line of OpenSSL says; `undefined` where there is none. */
function openssl(...args: readonly string[]): string | undefined {
  try {
    return execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function written(identity: SelfSignedIdentity): string {
  const folder = mkdtempSync(join(tmpdir(), "msg-ts-"));
  folders.push(folder);
  const path = join(folder, "cert.pem");
  writeFileSync(path, identity.cert);
  return path;
}

describe("a self-signed identity", () => {
  it("has a certificate that its own key signed, for the key whose pin it has", () => {
    const identity = new SelfSignedIdentity();
    const certificate = new X509Certificate(identity.cert);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.issuer).toBe(certificate.subject);
    expect(certificate.checkPrivateKey(createPrivateKey(identity.key))).toBe(true);
    expect(pinOf(certificate)).toBe(identity.pin);
  });

  it("is an end of a chain, not an authority, for servers and clients on this machine", () => {
    const certificate = new X509Certificate(new SelfSignedIdentity().cert);
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    expect(certificate.subjectAltName).toBe(
      "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
    );
    expect(certificate.checkHost("localhost")).toBe("localhost");
    expect(certificate.checkIP("::1")).toBe("::1");
  });

  it("is valid at all times, and tells its pin to whoever reads it", () => {
    const identity = new SelfSignedIdentity();
    const certificate = new X509Certificate(identity.cert);
    expect(new Date(certificate.validFrom)).toEqual(new Date("1970-01-01T00:00:00Z"));
    expect(new Date(certificate.validTo)).toEqual(new Date("9999-12-31T23:59:59Z"));
    const [, commonName = ""] = certificate.subject.split("CN=");
    expect(resolvePins(commonName)).toEqual(new Set([identity.pin]));
  });

  it("is another each time", () => {
    const first = new SelfSignedIdentity();
    const second = new SelfSignedIdentity();
    expect(second.pin).not.toBe(first.pin);
    expect(new X509Certificate(second.cert).serialNumber).not.toBe(
      new X509Certificate(first.cert).serialNumber,
    );
  });

  it("has a serial number of 16 bytes that is positive, whatever its key", () => {
    for (let made = 0; made < 64; made += 1) {
      const { serialNumber } = new X509Certificate(new SelfSignedIdentity().cert);
      expect(serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    }
  });

  it("is taken by the command line of OpenSSL, strictly read", ({ skip }) => {
    const path = written(new SelfSignedIdentity());
    const verdict = openssl(
      "verify",
      "-x509_strict",
      "-purpose",
      "sslserver",
      "-CAfile",
      path,
      path,
    );
    skip(verdict === undefined, "there is no openssl here");
    expect(verdict).toContain("cert.pem: OK");
  });

  it("reads for OpenSSL as it was meant, byte for byte", ({ skip }) => {
    const path = written(new SelfSignedIdentity());
    const text = openssl("x509", "-in", path, "-noout", "-text");
    skip(text === undefined, "there is no openssl here");
    for (const line of [
      /Version: 3 \(0x2\)/,
      /Signature Algorithm: ecdsa-with-SHA256/,
      /Basic Constraints: critical\s+CA:FALSE/,
      /Key Usage: critical\s+Digital Signature\n/,
    ]) {
      expect(text).toMatch(line);
    }
  });
});
