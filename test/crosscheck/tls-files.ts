import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CertificateRequest, IssuedCertificate } from "@msg-ts/testing";
import { TestAuthority } from "@msg-ts/testing";

/** A certificate with its key, as text and as the file that openssl takes for both. */
export interface FiledCertificate extends IssuedCertificate {
  readonly file: string;
}

/** The certificates of the checks, made anew, and a folder in which openssl finds them. */
export interface TlsFiles {
  readonly folder: string;
  /** Of the authority that all but one are issued by: as text, and its file. */
  readonly ca: string;
  readonly caFile: string;
  /** Of another one. */
  readonly otherCa: string;
  readonly otherCaFile: string;
  /** For 127.0.0.1 and localhost. */
  readonly server: FiledCertificate;
  readonly expired: FiledCertificate;
  /** For a.example and b.example. */
  readonly a: FiledCertificate;
  readonly b: FiledCertificate;
  readonly client: FiledCertificate;
  readonly expiredClient: FiledCertificate;
  /** Issued by the other authority. */
  readonly strangeClient: FiledCertificate;
  remove(): void;
}

const dayMs = 24 * 60 * 60_000;

/** Makes the certificates. */
export async function makeTlsFiles(): Promise<TlsFiles> {
  const folder = mkdtempSync(join(tmpdir(), "msg-ts-crosscheck-"));
  const file = (name: string, text: string): string => {
    const path = join(folder, `${name}.pem`);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const authority = await TestAuthority.create("crosscheck authority");
  const other = await TestAuthority.create("another authority");
  const filed = async (
    name: string,
    request: CertificateRequest,
    issuer = authority,
  ): Promise<FiledCertificate> => {
    const issued = await issuer.issue({ commonName: name, ...request });
    return { ...issued, file: file(name, issued.cert + issued.key) };
  };
  const local = { dns: ["localhost"], ips: ["127.0.0.1"] };
  const past = {
    validFrom: new Date(Date.now() - 2 * dayMs),
    validTo: new Date(Date.now() - dayMs),
  };
  return {
    folder,
    ca: authority.cert,
    caFile: file("ca", authority.cert),
    otherCa: other.cert,
    otherCaFile: file("other-ca", other.cert),
    server: await filed("server", { ...local, usage: "server" }),
    expired: await filed("expired", { ...local, ...past, usage: "server" }),
    a: await filed("a", { dns: ["a.example"], usage: "server" }),
    b: await filed("b", { dns: ["b.example"], usage: "server" }),
    client: await filed("client", { usage: "client" }),
    expiredClient: await filed("expired-client", { ...past, usage: "client" }),
    strangeClient: await filed("strange-client", { usage: "client" }, other),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
