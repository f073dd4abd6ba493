import { once } from "node:events";
import type { Group } from "./scenario.ts";
import type { Stage } from "./stage.ts";
import { words } from "./talking.ts";

/** What a thread says first. */
async function said(stage: Stage, job: string, data: object = {}): Promise<string> {
  const worker = stage.thread(job, { ...data });
  const ended = once(worker, "exit");
  const [text] = (await once(worker, "message")) as [unknown];
  // One that is terminated in the middle of something is another scenario.
  await ended;
  return String(text);
}

/** What zeromq.js tests of worker threads. */
export const threads: Group = {
  title: "Worker threads",
  scenarios: [
    {
      what: "both sockets in a thread",
      over: ["tcp", "ipc", "inproc"],
      ours: words.join(" "),
      run: async (stage) => said(stage, "alone", { address: await stage.address() }),
    },
    {
      what: "a socket of the main thread and one of a thread",
      over: ["tcp", "ipc"],
      ours: words.join(" "),
      run: async (stage) => {
        const push = stage.open(new stage.zmq.Push());
        const address = await stage.address();
        await push.bind(address);
        const heard = said(stage, "pull", { address });
        for (const word of words) await push.send(word);
        return heard;
      },
    },
    {
      what: "the same from thread to thread over inproc",
      over: ["inproc"],
      ours: "waits",
      difference: { worse: "inproc is one thread's; between threads ipc and tcp go" },
      run: async (stage) => {
        const push = stage.open(new stage.zmq.Push({ sendTimeout: 10_000 }));
        const address = await stage.address();
        await push.bind(address);
        const heard = said(stage, "pull", { address });
        const sent = (async () => {
          for (const word of words) await push.send(word);
        })().catch(() => "waits");
        return Promise.race([heard, sent.then((text) => text ?? heard)]);
      },
    },
    {
      what: "sockets of two threads",
      over: ["tcp", "ipc"],
      ours: words.join(" "),
      run: async (stage) => {
        const address = await stage.address();
        const heard = said(stage, "pull", { address });
        const ended = once(stage.thread("push", { address }), "exit");
        await ended;
        return heard;
      },
    },
    {
      what: "a thread is terminated while `receive` waits",
      ours: "exit code 0",
      difference: { better: "the process lives on" },
      run: (stage) => stage.ends("terminated-thread"),
    },
  ],
};
