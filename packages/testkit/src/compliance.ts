export { countHints } from "./compliance/count-hints.ts";
export { describeDriver } from "./compliance/driver.ts";
export type { DriverUnderTest } from "./compliance/driver.ts";
export { describePubSub } from "./compliance/pubsub.ts";
export type { PubSubUnderTest, ReplicaHints } from "./compliance/pubsub.ts";
export { sampleAgent, sampleBuild, sampleWorkspaceId } from "./compliance/sample-build.ts";
