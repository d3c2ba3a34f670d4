export { chooseAgent } from "./choose-agent.ts";
export type { AgentCandidate } from "./choose-agent.ts";
export { IdentityClaimError, IdentityError } from "./errors.ts";
export { IdentityVerifier } from "./identity-verifier.ts";
export type { IdentitySettings } from "./identity-verifier.ts";
