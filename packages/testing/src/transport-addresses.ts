import { describe, expect, it } from "vitest";
import type { TransportSuite } from "./transport-rig.ts";
import { TransportRig } from "./transport-rig.ts";

/** What holds for the addresses of any transport. */
export function describeTransportAddresses(suite: TransportSuite): void {
  const badAddresses = [
    "",
    `${suite.name}://`,
    "nosuch://somewhere",
    ...(suite.badAddresses ?? []),
  ];

  describe("addresses", () => {
    it("takes an address with its scheme and gives it without", () => {
      const { transport } = new TransportRig(suite);
      const short = transport.parseAddress(suite.listenAddress());
      expect(short).not.toContain("://");
      expect(transport.parseAddress(`${suite.name}://${short}`)).toBe(short);
      expect(transport.parseAddress(short)).toBe(short);
    });

    it("is named as its scheme", () => {
      const { transport } = new TransportRig(suite);
      expect(transport.name).toMatch(/^[a-z][a-z0-9+.-]*$/);
      expect(transport.name).toBe(suite.name);
    });

    for (const address of badAddresses) {
      it(`refuses ${JSON.stringify(address.slice(0, 60))}, naming it`, async () => {
        const { transport } = new TransportRig(suite);
        const refusal = {
          code: "MSG_INVALID_ADDRESS",
          message: expect.stringContaining(JSON.stringify(address)) as string,
        };
        expect(() => transport.parseAddress(address)).toThrow(expect.objectContaining(refusal));
        const { signal } = new AbortController();
        await expect(transport.dial(address, signal)).rejects.toMatchObject(refusal);
        const ignored = {
          onLink: () => undefined,
          onError: () => undefined,
          onRefused: () => undefined,
        };
        await expect(transport.listen(address, ignored)).rejects.toMatchObject(refusal);
      });
    }
  });
}
