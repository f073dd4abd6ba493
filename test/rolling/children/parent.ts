import process from "node:process";

/** Tells the parent process something. */
export function tell(message: object): void {
  process.send?.(message);
}

/** Calls back once when the process is asked to end, as Kubernetes and systemd do. */
export function onTerm(callback: () => Promise<void>): void {
  process.once("SIGTERM", () => {
    void callback().then(() => process.disconnect());
  });
}
