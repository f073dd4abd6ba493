import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { multipart, ReqSocket } from "msg-ts";
import { MsgError } from "msg-ts";
import type { Transport } from "msg-ts";
import { zmtp } from "@msg-ts/zmtp";

/** Who asks the service of examples/zeromq-peer.ts. */
export interface ZeromqClient extends AsyncDisposable {
  readonly name: string;
  ask(parts: readonly string[]): Promise<readonly string[]>;
}

/** The whole client: a line of JSON in, one out. */
const program = `
import json, sys, zmq
socket = zmq.Context().socket(zmq.REQ)
socket.linger = 0
socket.connect(sys.argv[1])
for line in sys.stdin:
    socket.send_multipart([part.encode() for part in json.loads(line)])
    print(json.dumps([part.decode() for part in socket.recv_multipart()]), flush=True)
`;

/** pyzmq over tcp or ipc, where it is installed; else a REQ of ours. */
export function clientOf(name: string, endpoint: string, transport: Transport): ZeromqClient {
  const python = name === "tcp" || name === "ipc" ? pythonWithZmq() : undefined;
  return python === undefined
    ? ownClient(endpoint, transport)
    : pyzmq(python, `${name}://${endpoint}`);
}

/** The system's own Python may have it where the first one in the path has not. */
function pythonWithZmq(): string | undefined {
  return ["python3", "/usr/bin/python3"].find(
    (python) => spawnSync(python, ["-c", "import zmq"]).status === 0,
  );
}

function pyzmq(python: string, endpoint: string): ZeromqClient {
  const child = spawn(python, ["-c", program, endpoint], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  return {
    name: "pyzmq",
    ask: async (parts) => {
      const answered = once(lines, "line");
      child.stdin.write(`${JSON.stringify(parts)}\n`);
      return JSON.parse(String((await answered)[0])) as string[];
    },
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await once(child, "close");
    },
  };
}

function ownClient(endpoint: string, transport: Transport): ZeromqClient {
  const req = new ReqSocket(transport, { protocol: zmtp() });
  void req.connect(endpoint);
  return {
    name: "this process itself, without Python",
    ask: async (parts) => {
      try {
        return (await req.request(multipart(parts))).parts.map((part) =>
          Buffer.from(part).toString(),
        );
      } catch (error) {
        if (!MsgError.is(error, "MSG_REMOTE")) throw error;
        return ["MSG-ERROR", error.remoteCode ?? "", error.message];
      }
    },
    [Symbol.asyncDispose]: async () => void (await req.close()),
  };
}
