import type { Group, Scenario } from "./scenario.ts";

function program(
  what: string,
  name: string,
  ours: string,
  difference?: Scenario["difference"],
): Scenario {
  const scenario: Scenario = { what, ours, run: (stage) => stage.ends(name) };
  return difference === undefined ? scenario : { ...scenario, difference };
}

/** When a process with sockets ends by itself, as zeromq.js tests it. */
export const exits: Group = {
  title: "The end of a process",
  scenarios: [
    program("sockets are closed", "closed", "exit code 0"),
    program("sockets that did nothing are not closed", "not-closed", "exit code 0"),
    program("a socket is bound and `receive` waits", "open-and-polling", "waits"),
    program("a Publisher sent and was not bound", "publishes-unbound", "exit code 0"),
    program("a Dealer's `send` waits for a first address", "sends-unbound", "exit code 0", {
      other: "a promise holds no process: nothing was bound or connected to",
    }),
    program("closed with a message for nobody, `linger` -1", "queued-for-nobody", "waits"),
    program(
      "closed with a message for nobody, `linger` 50",
      "queued-for-nobody-linger-50",
      "exit code 0",
    ),
    program("events are read, and the socket closed", "reads-events-and-closes", "exit code 0"),
    program("events are read, and it is not", "reads-events", "exit code 0", {
      other: "as above: a socket that does nothing has nothing to tell",
    }),
  ],
};
