const maxPathLength = 120;
const plainName = /^[A-Za-z_$][\w$]*$/;

/** Where in a value something is, such as `lines[3].price`; empty for the value itself. */
export function shownPath(path: readonly PropertyKey[]): string {
  let shown = "";
  for (const key of path) {
    if (shown.length > maxPathLength) break;
    shown += shownKey(key, shown === "");
  }
  return shortened(shown, maxPathLength);
}

function shownKey(key: PropertyKey, isFirst: boolean): string {
  if (typeof key === "number") return `[${key}]`;
  const name = String(key);
  if (plainName.test(name)) return isFirst ? name : `.${name}`;
  // Escaped: keys come from outside, and line breaks in a log are a forgery.
  return `[${JSON.stringify(name.slice(0, maxPathLength))}]`;
}

/** At most `maxLength` characters of text from elsewhere, on one line. */
export function shortened(text: string, maxLength: number): string {
  const line = text.slice(0, maxLength + 1).replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
  return line.length > maxLength ? `${line.slice(0, maxLength - 1)}…` : line;
}
