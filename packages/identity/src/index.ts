export { chooseAgent } from "./choose-agent.ts";
export type { Candidate } from "./choose-agent.ts";
export { IdentityClaimError, IdentityError } from "./errors.ts";
export { IdentityVerifier } from "./verifier.ts";
export type { IdentitySettings } from "./settings.ts";
