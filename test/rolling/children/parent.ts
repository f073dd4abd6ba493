import process from "node:process";

/** Tells the parent process something. */
export function tell(message: object): void {
  process.send?.(message);
}

// Without its parent there is nobody to tell.
const onOrphaned = (): void => process.exit();
process.once("disconnect", onOrphaned);

/** Calls back once when the process is asked to end, as Kubernetes and systemd do. */
export function onTerm(callback: () => Promise<void>): void {
  process.once("SIGTERM", () => {
    // From here on it has to end by itself.
    process.off("disconnect", onOrphaned);
    void callback().then(() => process.disconnect());
  });
}
