import { X509Certificate } from "node:crypto";
import { TestAuthority } from "@msg-ts/testing/certificates";
import { describe, expect, it } from "vitest";
import { isPinned, notPinnedText, pinOf, resolvePins } from "../src/certificates/public-key-pin.ts";
import { PeerCertificate } from "../src/certificates/peer-certificate.ts";

/** Made by the command line of OpenSSL, and so was {@link knownPin}, in the way of RFC 7469, appendix A. */
const knownCertificate = `-----BEGIN CERTIFICATE-----
MIIBQjCB9aADAgECAhRj2SKBHDt0memzmv4GDP1Si8ffbTAFBgMrZXAwFjEUMBIG
A1UEAwwLcGluLmV4YW1wbGUwIBcNMjYxMTI5MTUwMzQzWhgPMjEyNjExMDUxNTAz
NDNaMBYxFDASBgNVBAMMC3Bpbi5leGFtcGxlMCowBQYDK2VwAyEALdGqK2vqCIfG
iMgCZmQxfKfIZM4bMpGsc8xipGLh8dWjUzBRMB0GA1UdDgQWBBTT9Gl8O5sItvUM
7AJvYWyjUiogmTAfBgNVHSMEGDAWgBTT9Gl8O5sItvUM7AJvYWyjUiogmTAPBgNV
HRMBAf8EBTADAQH/MAUGAytlcANBAMBMZe0zmfG8pRJ00VxmudPIbz9KwPyvW5RO
2LCqiw/IfDfdyeiFMdDZR7hSpyMwMgWPmY3KR1BmXb6clxGiYAA=
-----END CERTIFICATE-----
`;
const knownPin = "sha256/oVvgCGGN8xE6AcPhxiduzadkLzp4y+0+PwiRB0cTs/8=";

/** The hash of nothing, which is no key's. */
const pin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const form = "sha256/ and 44 characters of Base64";

describe("a pin", () => {
  it("is what the command line of OpenSSL makes of the same certificate", () => {
    expect(pinOf(new X509Certificate(knownCertificate))).toBe(knownPin);
  });

  it("is the hash of the public key, and stays when the certificate is renewed", async () => {
    const authority = await TestAuthority.create();
    const first = await authority.issue({ commonName: "first" });
    const renewed = new X509Certificate((await authority.issue({ key: first.key })).cert);
    const certificate = new X509Certificate(first.cert);
    const { publicKeySha256 } = new PeerCertificate(certificate, true);
    const base64 = Buffer.from(publicKeySha256, "hex").toString("base64");
    expect(pinOf(certificate)).toBe(`sha256/${base64}`);
    expect(pinOf(renewed)).toBe(pinOf(certificate));
    expect(renewed.fingerprint256).not.toBe(certificate.fingerprint256);
  });

  it("is found among others, in each form in which it may be given", async () => {
    const certificate = new X509Certificate((await TestAuthority.selfSigned({})).cert);
    const { publicKeySha256 } = new PeerCertificate(certificate, true);
    const own = pinOf(certificate);
    const forms = [own, own.replace("/", "//"), publicKeySha256, publicKeySha256.toUpperCase()];
    for (const given of forms) {
      expect(resolvePins(given)).toEqual(new Set([own]));
      expect(isPinned(certificate, resolvePins([pin, given]))).toBe(true);
    }
  });

  it("of another key is not that of a certificate", async () => {
    const certificate = new X509Certificate((await TestAuthority.selfSigned({})).cert);
    expect(isPinned(certificate, resolvePins([pin]))).toBe(false);
  });

  it("of a key that cannot be read is none", () => {
    const unreadable = {
      get publicKey(): never {
        throw new Error("unsupported");
      },
    } as unknown as X509Certificate;
    expect(isPinned(unreadable, resolvePins([pin]))).toBe(false);
    expect(notPinnedText(new Uint8Array(3))).toContain("cannot be read");
    expect(notPinnedText(undefined)).toBe("it showed no certificate");
  });
});

describe("pins that cannot be", () => {
  it.each([
    [[], "pins is empty, must be at least one pin: no server has none"],
    [{}, "pins is object, must be a pin, or a list of them"],
    [1, "pins is number, must be a pin, or a list of them"],
    [[pin, 1], "pins[1] is number, must be a string"],
    ["", `pins is "", must be ${form}: it does not begin with sha256/`],
    [["sha1/abc"], `pins[0] is "sha1/abc", must be ${form}: it does not begin with sha256/`],
    [
      [pin, "sha256/abc"],
      `pins[1] is "sha256/abc", must be ${form}: it has 2 bytes, SHA-256 has 32`,
    ],
    [pin.slice(0, -1), `pins is "${pin.slice(0, -1)}", must be ${form}: it has 43 characters`],
    [
      pin.replace("+", "-"),
      `pins is "${pin.replace("+", "-")}", must be ${form}: it has a character that Base64 has not`,
    ],
    [
      pin.replace("U=", "V="),
      `pins is "${pin.replace("U=", "V=")}", must be the Base64 of a hash: its last digit has bits that no hash has`,
    ],
    [
      "x".repeat(61),
      `pins is "${"x".repeat(60)}…", must be ${form}: it does not begin with sha256/`,
    ],
  ])("%j are refused, naming which and why", (pins, message) => {
    const resolve = (): unknown => resolvePins(pins as string[]);
    expect(resolve).toThrow(expect.objectContaining({ code: "MSG_INVALID_OPTION", message }));
  });
});
