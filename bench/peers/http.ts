/** `node:http` with connections that are kept: one request at a time on each. */
import type { IncomingMessage, RequestOptions } from "node:http";
import { Agent, createServer, request } from "node:http";
import type { Contender, Place, RequestReply } from "./contender.ts";
import { boundAddress, whereOf } from "./raw.ts";

/** A body, which mostly comes in one piece. */
function bodyOf(message: IncomingMessage, onBody: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  message.on("data", (chunk: Buffer) => chunks.push(chunk));
  message.on("end", () =>
    onBody(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)),
  );
}

function optionsOf(place: Place, agent: Agent, payload: Uint8Array): RequestOptions {
  const where = whereOf(place);
  const headers = { "Content-Length": payload.length };
  const target = "path" in where ? { socketPath: where.path } : where;
  return { ...target, path: "/", method: "POST", agent, headers };
}

const requestReply: RequestReply = {
  async serve(place, counter) {
    const server = createServer((incoming, response) => {
      bodyOf(incoming, (body) => {
        counter.add(body);
        response.writeHead(200, { "Content-Length": body.length });
        response.end(body);
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ ...whereOf(place), backlog: 4096 }, resolve);
    });
    return boundAddress(server);
  },
  connect(place, inFlight) {
    const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
    return Promise.resolve({
      request(payload) {
        return new Promise((resolve, reject) => {
          const outgoing = request(optionsOf(place, agent, payload), (response) => {
            bodyOf(response, resolve);
          });
          outgoing.once("error", reject);
          outgoing.end(payload);
        });
      },
      bytesOf: (answer) => (answer as Buffer).length,
    });
  },
};

function firstMessage(place: Place): string {
  const where = whereOf(place);
  const target = "path" in where ? { socketPath: where.path } : where;
  return `
    import { request } from "node:http";
    const outgoing = request({ ...${JSON.stringify(target)}, method: "POST" }, (response) => {
      response.resume().on("end", () => console.log("answered"));
    });
    outgoing.end("hello");
  `;
}

/** `node:http`. */
export const contender: Contender = {
  name: "http",
  transports: ["tcp", "ipc"],
  requestReply,
  firstMessage,
};
