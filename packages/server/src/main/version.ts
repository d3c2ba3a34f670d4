/** This release. */
export const slipwayVersion = "0.1.0";

/**
 * The version reported to clients of the original, which switch features by it (docs/protocol/clients.md §0.2, §3.1):
 * the newest release whose protocols the server speaks, with its own version after the plus.
 */
export const buildVersion = `v2.37.0+slipway.${slipwayVersion}`;

/**
 * The same in the header of each answer. Stock commands warn when its major and minor differ from their own, unless it
 * contains `v0.0.0` (docs/protocol/clients.md §0.2). All supported ones work, so none needs to.
 */
export const versionHeader = `${buildVersion}.v0.0.0`;
