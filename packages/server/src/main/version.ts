/** This release. */
export const slipwayVersion = "0.1.0";

/**
 * What the server says it is to clients of the original, which switch features by it (`clients.md` sections 0.2, 3.1): the
 * newest release whose protocols it speaks, and its own version behind the plus.
 */
export const buildVersion = `v2.37.0+slipway.${slipwayVersion}`;
