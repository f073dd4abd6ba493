import { expect, it } from "vitest";
import { dataKinds } from "../../bench/compression-data.ts";
import { newestLines, rendered, sizes } from "../../bench/compression-report.ts";
import { socketVariants } from "../../bench/compression-sockets.ts";
import { variants } from "../../bench/compression-variants.ts";
import { document } from "./markdown.ts";

const page = document("docs/compression.md").text.replaceAll("\r\n", "\n");

it("the measured tables are what npm run bench:compression -- --render would write", () => {
  expect(page).toBe(rendered(page, newestLines()));
});

it("every compressor is measured on every kind and size of data, by each backend of zstd", () => {
  const calls = dataKinds.flatMap((data) =>
    sizes.flatMap((size) => variants.map((variant) => `${variant}, ${data}, ${size}`)),
  );
  const sockets = sizes.flatMap((size) => socketVariants.map((variant) => `${variant}, ${size}`));
  const lines = newestLines();
  for (const line of lines) {
    const measured = line.calls.map(
      ({ compressor, data, sizeBytes }) => `${compressor}, ${data}, ${sizeBytes}`,
    );
    expect(measured).toEqual(calls);
    expect(line.sockets.map(({ compressor, sizeBytes }) => `${compressor}, ${sizeBytes}`)).toEqual(
      sockets,
    );
  }
  const backends = lines.map(({ backends: { zstd } }) => zstd.split(" ")[0]);
  expect(backends).toEqual(["@mongodb-js/zstd", "node:zlib"]);
});
