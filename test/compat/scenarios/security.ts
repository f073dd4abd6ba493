import { setTimeout as delay } from "node:timers/promises";
import type { Socket } from "@msg-ts/zmtp/compat";
import type { Group } from "./scenario.ts";
import { carriers } from "./scenario.ts";
import { codeOf, outcomeOf } from "./outcome.ts";
import type { Stage } from "./stage.ts";
import { receiveAll } from "./talking.ts";

const noZap =
  "there is no ZAP: the option `authenticate` decides, and what it throws lets nobody in";

/** What an authenticator of zeromq.js says: the parts of a ZAP reply. */
type ZapAnswer = (id: Buffer, isRight: boolean) => (string | Buffer)[];

const rightAnswer: ZapAnswer = (id, isRight) =>
  isRight ? ["1.0", id, "200", "OK", "user", ""] : ["1.0", id, "400", "no", "", ""];

/** What makes a server let in `user` with `pass`: each library by its own means. */
async function plainServer(
  stage: Stage,
  answer: ZapAnswer = rightAnswer,
  authenticate?: () => boolean,
): Promise<object> {
  if (stage.side === "ours") {
    return {
      plainServer: true,
      authenticate:
        authenticate ??
        (({ username, password }: { username?: string; password?: string }) =>
          username === "user" && password === "pass"),
    };
  }
  const handler = stage.open(new stage.zmq.Router());
  // The one of the scenario before may not be gone yet: there is one for all of a process.
  for (;;) {
    if ((await outcomeOf(() => handler.bind("inproc://zeromq.zap.01"))) === "done") break;
    await delay(20);
  }
  void (async () => {
    for await (const [path, empty, , id, , , , , name, password] of handler) {
      const isRight = String(name) === "user" && String(password) === "pass";
      const parts = answer(id ?? Buffer.alloc(0), isRight);
      await handler.send([path ?? null, empty ?? null, ...parts]);
    }
  })().catch(codeOf);
  return { plainServer: true, zapDomain: "test" };
}

/** The first failed handshake that a socket tells of. */
function firstFailure(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.events.on("handshake:error:auth", ({ error }) => {
      resolve(`auth ${(error as { status?: number }).status}`);
    });
    socket.events.on("handshake:error:protocol", ({ error }) => {
      resolve(`protocol ${codeOf(error)}`);
    });
    socket.events.on("handshake:error:other", ({ error }) => resolve(`other ${codeOf(error)}`));
    setTimeout(() => resolve("nothing"), 15_000).unref();
  });
}

async function failures(stage: Stage, server: object, client: object): Promise<string> {
  const pull = stage.open(new stage.zmq.Pull(server));
  const push = stage.open(new stage.zmq.Push(client));
  const told = [firstFailure(pull), firstFailure(push)];
  await stage.join(pull, push);
  return (await Promise.all(told)).join(", ");
}

const user = { plainUsername: "user", plainPassword: "pass" };

/** What zeromq.js tests of PLAIN and CURVE. */
export const security: Group = {
  title: "Security",
  scenarios: [
    {
      what: "PLAIN with the right password",
      over: ["tcp", "ipc"],
      ours: "in",
      run: async (stage) => {
        const pull = stage.open(new stage.zmq.Pull(await plainServer(stage)));
        const push = stage.open(new stage.zmq.Push(user));
        await stage.join(pull, push);
        await push.send("in");
        return receiveAll(pull, 1);
      },
    },
    {
      what: "PLAIN with a wrong password: what server and client are told",
      over: ["tcp", "ipc"],
      ours: "auth 400, auth 400",
      run: async (stage) =>
        failures(stage, await plainServer(stage), { ...user, plainPassword: "wrong" }),
    },
    {
      what: "the authenticator answers in another version (ours: it throws)",
      ours: "auth 400, auth 400",
      difference: { other: noZap },
      run: async (stage) => {
        const server = await plainServer(
          stage,
          (id) => ["9.9", id, "200", "OK", "user", ""],
          () => {
            throw new Error("no answer");
          },
        );
        return failures(stage, server, user);
      },
    },
    {
      what: "the authenticator's answer is malformed (ours: not a boolean)",
      ours: "auth 400, auth 400",
      difference: { other: noZap },
      run: async (stage) => {
        const server = await plainServer(
          stage,
          (id) => ["1.0", id, "200", "OK"],
          () => "maybe" as never,
        );
        return failures(stage, server, user);
      },
    },
    {
      what: "a PLAIN server and a CURVE client: what both are told",
      over: ["tcp", "ipc"],
      ours: "protocol EPROTO, protocol EPROTO",
      difference: {
        other: "the same events; the code is ours, and the message names both mechanisms",
      },
      run: async (stage) => {
        const keys = stage.zmq.curveKeyPair();
        const { publicKey: curveServerKey } = stage.zmq.curveKeyPair();
        const client = {
          curveServerKey,
          curvePublicKey: keys.publicKey,
          curveSecretKey: keys.secretKey,
        };
        return failures(stage, await plainServer(stage), client);
      },
    },
    {
      what: "CURVE: a message",
      over: carriers,
      ours: "sealed",
      run: async (stage) => {
        const [server, client] = [stage.zmq.curveKeyPair(), stage.zmq.curveKeyPair()];
        const pull = stage.open(
          new stage.zmq.Pull({ curveServer: true, curveSecretKey: server.secretKey }),
        );
        const push = stage.open(
          new stage.zmq.Push({
            curveServerKey: server.publicKey,
            curvePublicKey: client.publicKey,
            curveSecretKey: client.secretKey,
          }),
        );
        await stage.join(pull, push);
        await push.send("sealed");
        return receiveAll(pull, 1);
      },
    },
  ],
};
