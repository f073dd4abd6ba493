/** Who the ends of an encrypted round are: the parent says it to both in their environment. */
import process from "node:process";

const variable = "MSG_TS_BENCH_IDENTITY";

interface Identity {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

process.env[variable] ??= JSON.stringify(await newIdentity());

async function newIdentity(): Promise<Identity> {
  const { TestAuthority } = await import("@msg-ts/testing/certificates");
  const authority = await TestAuthority.create();
  return { ca: authority.cert, ...(await authority.issue({ ips: ["127.0.0.1"] })) };
}

const { ca, cert, key } = JSON.parse(process.env[variable]) as Identity;

/** What a listener shows, and what a dialer trusts. */
export const identities = { binds: { cert, key }, connects: { ca } } as const;
