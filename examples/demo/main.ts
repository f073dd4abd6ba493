/**
 * The demo: seven processes and this one, every pattern at work, and every count checked at the end.
 *
 * `npm run demo -- --help` tells what can be chosen.
 */
import { Demo } from "./demo.ts";
import { Display } from "./display.ts";
import { loadFiles } from "./files.ts";
import { readOptions, usage, UsageError } from "./options.ts";
import { prepareTransport } from "./transports.ts";

/** Ended from outside: by a signal, or because nobody reads what is printed. */
class Interruption extends Error {
  override readonly name = "Interruption";
  /** What a shell shows for a process that the signal ended. */
  readonly exitCode: number;

  constructor(what: string, signalNumber: number) {
    super(what);
    this.exitCode = 128 + signalNumber;
  }
}

function listenForInterruptions(): AbortSignal {
  const abort = new AbortController();
  const interrupt = (what: string, signalNumber: number) => (): void =>
    abort.abort(new Interruption(what, signalNumber));
  // Once: who insists is not held up. The children notice that main is gone.
  process.once("SIGINT", interrupt("interrupted", 2));
  process.once("SIGTERM", interrupt("terminated", 15));
  // Such as EPIPE, when the output goes to `head`. Later ones find nobody to tell either.
  process.stdout.on("error", interrupt("nobody reads the output", 13));
  return abort.signal;
}

async function main(): Promise<number> {
  const signal = listenForInterruptions();
  try {
    const options = readOptions(process.argv.slice(2));
    if (options === undefined) {
      console.log(usage);
      return 0;
    }
    const files = await loadFiles(options);
    await prepareTransport(options.transport);
    const display = new Display(process.stdout, process.env);
    const isRight = await new Demo(options, files, display, signal).run();
    return isRight ? 0 : 1;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${usage}`);
      return 2;
    }
    const reason: unknown = signal.aborted ? signal.reason : error;
    if (!(reason instanceof Interruption)) throw error;
    console.error(reason.message);
    return reason.exitCode;
  }
}

process.exitCode = await main();
