/** grpc-js: unary calls, and a stream of the client for one way. Payloads are bytes, without protobuf. */
import type { ClientWritableStream, ServiceDefinition } from "@grpc/grpc-js";
import {
  credentials,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
} from "@grpc/grpc-js";
import type { Contender, Counter, OneWay, Place, RequestReply } from "./contender.ts";

const asIs = (bytes: Buffer): Buffer => bytes;
const method = {
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
  responseStream: false,
};
const definition: ServiceDefinition = {
  echo: { ...method, path: "/bench.Bench/Echo", requestStream: false },
  push: { ...method, path: "/bench.Bench/Push", requestStream: true },
};

type Answer = (error: Error | null, answer: Buffer) => void;

interface BenchClient {
  waitForReady(deadline: number, done: (error?: Error) => void): void;
  echo(payload: Buffer, done: Answer): void;
  push(done: Answer): ClientWritableStream<Buffer>;
}

const Client = makeGenericClientConstructor(definition, "Bench");
const connectsWithinMs = 10_000;

function listen(place: Place, counter: Counter): Promise<string> {
  const server = new Server();
  server.addService(definition, {
    echo(call: { request: Buffer }, done: Answer) {
      counter.add(call.request);
      done(null, call.request);
    },
    push(call: NodeJS.ReadableStream) {
      call.on("data", (payload: Buffer) => counter.add(payload));
    },
  });
  const { transport, address } = place;
  const target = transport === "ipc" ? `unix:${address}` : address;
  return new Promise((resolve, reject) => {
    server.bindAsync(target, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(transport === "ipc" ? address : `127.0.0.1:${port}`);
      else reject(error);
    });
  });
}

function dial({ transport, address }: Place): Promise<BenchClient> {
  const target = transport === "ipc" ? `unix:${address}` : address;
  // Clients of one process share their connection otherwise.
  const options = { "grpc.use_local_subchannel_pool": 1 };
  const client = new Client(target, credentials.createInsecure(), options);
  return new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + connectsWithinMs, (error) => {
      if (error === undefined) resolve(client as unknown as BenchClient);
      else reject(error);
    });
  });
}

const oneWay: OneWay = {
  receive: listen,
  async connect(place) {
    const client = await dial(place);
    const call = client.push((error) => {
      if (error !== null) throw error;
    });
    return (payload, counter) => {
      const fill = (): void => {
        let hasRoom = true;
        while (hasRoom) {
          hasRoom = call.write(payload as Buffer);
          counter.messages += 1;
        }
        call.once("drain", fill);
      };
      fill();
    };
  },
};

const requestReply: RequestReply = {
  serve: listen,
  async connect(place) {
    const client = await dial(place);
    return {
      request(payload) {
        return new Promise((resolve, reject) => {
          client.echo(payload as Buffer, (error, answer) => {
            if (error === null) resolve(answer);
            else reject(error);
          });
        });
      },
      bytesOf: (answer) => (answer as Buffer).length,
    };
  },
};

function firstMessage({ transport, address }: Place): string {
  const target = transport === "ipc" ? `unix:${address}` : address;
  return `
    import { credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
    const asIs = (bytes) => bytes;
    const echo = {
      path: "/bench.Bench/Echo", requestStream: false, responseStream: false,
      requestSerialize: asIs, requestDeserialize: asIs,
      responseSerialize: asIs, responseDeserialize: asIs,
    };
    const Client = makeGenericClientConstructor({ echo }, "Bench");
    const client = new Client(${JSON.stringify(target)}, credentials.createInsecure());
    client.echo(Buffer.from("hello"), (error) => {
      if (error) throw error;
      console.log("answered");
      client.close();
    });
  `;
}

/** grpc-js. */
export const contender: Contender = {
  name: "grpc",
  transports: ["tcp", "ipc"],
  oneWay,
  requestReply,
  firstMessage,
};
