/** A process of the demo: answers questions. */
import { createHash } from "node:crypto";
import { ReplyError, RepSocket } from "msg-ts";
import type {
  BoundSettings,
  HashAnswer,
  Question,
  ServiceProgress,
  ServiceReport,
  StatusAnswer,
} from "./control.ts";
import { joinMain } from "./role.ts";
import { makeTransport } from "./transports.ts";

const role = joinMain<BoundSettings, ServiceProgress, ServiceReport>();
const { transport, bindTo } = role.settings;

function answer(question: Question): HashAnswer | StatusAnswer {
  switch (question.ask) {
    case "hash":
      return { sha256: createHash("sha256").update(question.text).digest("hex") };
    case "status":
      return { pid: process.pid, uptimeSeconds: process.uptime() };
    default:
      throw new ReplyError("UNKNOWN_QUESTION", "ask for a hash or the status");
  }
}

const rep = new RepSocket(makeTransport(transport), { name: "service" });
const endpoint = await rep.bind(bindTo);
rep.serve((request) => JSON.stringify(answer(request.json() as Question)));
role.ready(() => ({ answered: rep.stats().messagesSent }), endpoint);

await role.stopped;
await rep.close();
role.report({ answered: rep.stats().messagesSent });
