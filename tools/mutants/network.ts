import type { Mutant } from "./mutant.ts";
import { accessFaults } from "./network/access.ts";
import { coordinatorFaults } from "./network/coordinator.ts";
import { protocolFaults } from "./network/protocols.ts";
import { relayFaults } from "./network/relay.ts";
import { tunnelFaults } from "./network/tunnel.ts";

/** Faults of the network at the second event of a kind, the late one, the repeated one, and the one that does not come. */
export const network: readonly Mutant[] = [
  ...accessFaults,
  ...coordinatorFaults,
  ...protocolFaults,
  ...relayFaults,
  ...tunnelFaults,
];
