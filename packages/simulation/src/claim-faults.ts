/** Claims on real servers, a real PostgreSQL and real agents, while faults hit all of them (docs/claims.md). */
export type { ClaimFaultsOptions, ClaimFaultsOutcome, FaultCount } from "./claim-faults/options.ts";
export { runClaimFaults } from "./claim-faults/run-claim-faults.ts";
