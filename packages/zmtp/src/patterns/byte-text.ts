/** Bytes as a text of one character each (U+0000 to U+00FF): what a prefix is compared as. */
export function byteText(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += chunkLength) {
    text += String.fromCharCode(...bytes.subarray(i, i + chunkLength));
  }
  return text;
}

/** As many arguments as a call takes without harm. */
const chunkLength = 4_096;
