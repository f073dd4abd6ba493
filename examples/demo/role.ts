import type { FromRole, ToRole } from "./control.ts";

const progressMs = 200;

/** A child's end of the channel to main: {@link RoleProcess} is the other one. */
export interface Role<Settings, Progress, Report> {
  readonly settings: Settings;
  /** Main wants it to begin. */
  readonly started: Promise<void>;
  /** Main wants it to end. */
  readonly stopped: Promise<void>;
  /** Says that it can be used. From now on main is told how it goes. */
  ready(progress: () => Progress, endpoint?: string): void;
  /** Says the last word. The process ends when its sockets are closed. */
  report(report: Report): void;
}

/** Joins main, which started this process. When main is gone, this process ends. */
export function joinMain<Settings, Progress, Report>(): Role<Settings, Progress, Report> {
  const [, , settings = ""] = process.argv;
  const tell = (message: FromRole<Progress, Report>): void => void process.send?.(message);
  let timer: NodeJS.Timeout | undefined;

  // Ctrl-C reaches the whole group: what becomes of a child is main's to decide.
  process.on("SIGINT", () => {});
  process.on("disconnect", onMainGone);

  return {
    settings: JSON.parse(settings) as Settings,
    started: told("start"),
    stopped: told("stop"),
    ready: (progress, endpoint) => {
      tell({ kind: "ready", endpoint });
      timer = setInterval(() => tell({ kind: "progress", progress: progress() }), progressMs);
    },
    report: (report) => {
      clearInterval(timer);
      process.off("disconnect", onMainGone);
      tell({ kind: "report", report });
      process.disconnect();
    },
  };
}

function told(kind: ToRole["kind"]): Promise<void> {
  return new Promise((resolve) => {
    process.on("message", (message: ToRole) => {
      if (message.kind === kind) resolve();
    });
  });
}

function onMainGone(): void {
  process.exit(1);
}
