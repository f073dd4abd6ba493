import { describe } from "vitest";
import { expectNoLeaks } from "./no-leaks.ts";
import { describeTransportAddresses } from "./transport-addresses.ts";
import { describeTransportDialing } from "./transport-dialing.ts";
import { describeTransportFlow } from "./transport-flow.ts";
import { describeTransportLinks } from "./transport-links.ts";
import type { TransportSuite } from "./transport-rig.ts";

/**
 * Holds a transport to every promise of `contracts/transport.ts`.
 *
 * A new transport calls it in a test file of its own and adds only what is special about it.
 */
export function testTransport(suite: TransportSuite): void {
  describe(`${suite.name} keeps the contract of a transport`, () => {
    expectNoLeaks();
    describeTransportAddresses(suite);
    describeTransportDialing(suite);
    describeTransportLinks(suite);
    describeTransportFlow(suite);
  });
}
