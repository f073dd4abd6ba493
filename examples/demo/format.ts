const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** 12,345 */
export function count(value: number): string {
  return whole.format(value);
}

/** 12,345/s */
export function perSecond(value: number): string {
  return `${count(value)}/s`;
}

/** 12.3 MiB */
export function mebibytes(bytes: number): string {
  return `${(bytes / (1024 * 1024)).toFixed(1)} MiB`;
}

/** 1.23 ms */
export function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}

/** 12.3 s */
export function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

/** [######......] */
export function bar(share: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `[${"#".repeat(filled)}${".".repeat(width - filled)}]`;
}
