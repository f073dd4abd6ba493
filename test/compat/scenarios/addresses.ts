import type { Group } from "./scenario.ts";
import { carriers } from "./scenario.ts";
import { outcomeOf, outcomesOf } from "./outcome.ts";
import type { Stage } from "./stage.ts";

/** What came of all that can be done with an address. */
async function allOf(stage: Stage, address: string): Promise<string> {
  const pull = stage.open(new stage.zmq.Pull());
  return [
    await outcomeOf(() => pull.bind(address)),
    await outcomeOf(() => pull.unbind(address)),
    await outcomeOf(() => pull.connect(address)),
    await outcomeOf(() => pull.disconnect(address)),
  ].join(", ");
}

/** What zeromq.js tests of bind, unbind, connect and disconnect. */
export const addresses: Group = {
  title: "Addresses",
  scenarios: [
    {
      what: "`bind`, `unbind`",
      over: carriers,
      ours: "done, done",
      run: async (stage) => {
        const pull = stage.open(new stage.zmq.Pull());
        const address = await stage.address();
        const bound = await outcomeOf(() => pull.bind(address));
        return `${bound}, ${await outcomeOf(() => pull.unbind(address))}`;
      },
    },
    {
      what: "`unbind` of what is not bound",
      over: carriers,
      ours: "ENOENT",
      run: async (stage) => {
        const pull = stage.open(new stage.zmq.Pull());
        const address = await stage.address();
        return outcomeOf(() => pull.unbind(address));
      },
    },
    {
      what: "`bind`, `unbind`, `connect`, `disconnect` of `foo-bar`",
      ours: "EINVAL, EINVAL, EINVAL, EINVAL",
      run: (stage) => allOf(stage, "foo-bar"),
    },
    {
      what: "the same of `foo://bar`",
      ours: Array.from({ length: 4 }, () => "EPROTONOSUPPORT").join(", "),
      run: (stage) => allOf(stage, "foo://bar"),
    },
    {
      what: "two `bind` at a time",
      over: carriers,
      ours: "done, done",
      difference: { better: "neither disturbs the other" },
      run: async (stage) => {
        const pull = stage.open(new stage.zmq.Pull());
        const [one, other] = [await stage.address(), await stage.address()];
        return outcomesOf(
          () => pull.bind(one),
          () => pull.bind(other),
        );
      },
    },
    {
      what: "two `unbind` at a time",
      over: carriers,
      ours: "done, done",
      difference: { better: "neither disturbs the other" },
      run: async (stage) => {
        const pull = stage.open(new stage.zmq.Pull());
        const [one, other] = [await stage.address(), await stage.address()];
        await pull.bind(one);
        await pull.bind(other);
        return outcomesOf(
          () => pull.unbind(one),
          () => pull.unbind(other),
        );
      },
    },
    {
      what: "`disconnect` of what is not connected to",
      over: carriers,
      ours: "ENOENT",
      run: async (stage) => {
        const push = stage.open(new stage.zmq.Push());
        const address = await stage.address();
        return outcomeOf(() => push.disconnect(address));
      },
    },
    {
      what: "`bind` where another socket is bound",
      over: ["tcp", "inproc"],
      ours: "EADDRINUSE",
      run: async (stage) => {
        const address = await stage.address();
        await stage.open(new stage.zmq.Pull()).bind(address);
        const second = stage.open(new stage.zmq.Pull());
        return outcomeOf(() => second.bind(address));
      },
    },
    {
      what: "`bind` where another socket is bound: a file",
      over: ["ipc"],
      ours: "EADDRINUSE",
      difference: { better: "the other takes the file away from the socket that listens there" },
      run: async (stage) => {
        const address = await stage.address();
        await stage.open(new stage.zmq.Pull()).bind(address);
        const second = stage.open(new stage.zmq.Pull());
        return outcomeOf(() => second.bind(address));
      },
    },
    {
      what: "`send` to a host that has no address",
      ours: "a connect:retry tells",
      run: async (stage) => {
        const push = stage.open(new stage.zmq.Push());
        const told = new Promise<string>((resolve) => {
          push.events.on("connect:retry", () => resolve("a connect:retry tells"));
        });
        const silence = new Promise<string>((resolve) => {
          setTimeout(() => resolve("nothing is told"), 20_000);
        });
        push.connect("tcp://no-such-host.invalid:5555");
        return Promise.race([told, silence]);
      },
    },
  ],
};
