import { plain, plainServer } from "@msg-ts/zmtp";
import type { Mechanism } from "@msg-ts/zmtp";
import type { CommonOptions } from "@msg-ts/zmtp/compat";
import { curve, curveKeyPair, curveServer } from "@msg-ts/zmtp/curve";

/** One mechanism, as both sides have it. */
export interface Secured {
  readonly name: string;
  /** Ours as a client or a server; absent for NULL. */
  readonly ours: (role: Role) => Mechanism | undefined;
  /** What a socket of the layer for zeromq.js is told. */
  readonly compat: (role: Role) => Partial<CommonOptions>;
  /** What libzmq's socket is told. */
  readonly theirs: (role: Role) => object;
}

/** Who asks for access. */
export type Role = "client" | "server";

const admin = { username: "admin", password: "secret" };
const serverKeys = curveKeyPair();
/** One for all: the peers let in who has it, where they are told to look. */
export const clientKeys = curveKeyPair();

/** No security. */
export const open: Secured = {
  name: "NULL",
  ours: () => undefined,
  compat: () => ({}),
  theirs: () => ({}),
};

/** A name and a password. */
export const byPassword: Secured = {
  name: "PLAIN",
  ours: (role) =>
    role === "client"
      ? plain(admin)
      : plainServer({
          authenticate: ({ username, password }) => username === "admin" && password === "secret",
        }),
  compat: (role) =>
    role === "client"
      ? { plainUsername: admin.username, plainPassword: admin.password }
      : {
          plainServer: true,
          authenticate: ({ username, password }) =>
            username === admin.username && password === admin.password,
        },
  theirs: (role) => ({ security: { name: "plain", role, ...admin } }),
};

/** Keys of both sides. */
export const byKeys: Secured = {
  name: "CURVE",
  ours: (role) =>
    role === "client"
      ? curve({ serverKey: serverKeys.publicKey, secretKey: clientKeys.secretKey })
      : curveServer({
          secretKey: serverKeys.secretKey,
          authenticate: ({ publicKeyText }) => publicKeyText === clientKeys.publicKey,
        }),
  compat: (role) =>
    role === "client"
      ? {
          curveServerKey: serverKeys.publicKey,
          curvePublicKey: clientKeys.publicKey,
          curveSecretKey: clientKeys.secretKey,
        }
      : {
          curveServer: true,
          curveSecretKey: serverKeys.secretKey,
          authenticate: ({ publicKey }) => publicKey === clientKeys.publicKey,
        },
  theirs: (role) => {
    const keys = role === "client" ? clientKeys : serverKeys;
    return { security: { name: "curve", role, ...keys, serverKey: serverKeys.publicKey } };
  },
};
