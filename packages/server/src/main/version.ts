/** This release. */
export const slipwayVersion = "0.1.0";

/**
 * What the server says it is to clients of the original, which switch features by it (docs/protocol/clients.md §0.2, §3.1): the
 * newest release whose protocols it speaks, and its own version behind the plus.
 */
export const buildVersion = `v2.37.0+slipway.${slipwayVersion}`;

/**
 * The same as each answer says it. Stock commands warn when its major and minor are not their own, unless it holds
 * `v0.0.0` (docs/protocol/clients.md §0.2); as all of them that we support work, none has to.
 */
export const versionHeader = `${buildVersion}.v0.0.0`;
