/**
 * The version that the agent reports. A stock server wants a semantic version with a leading `v`, and derives features
 * from it: so the release of Coder whose agent API this is, with our own version as build metadata (docs/protocol/agent.md §2.4).
 */
export const agentVersion = "v2.37.0+slipway.0.1.0";
