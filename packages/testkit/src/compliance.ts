export { describeDriver } from "./compliance/driver.ts";
export type { DriverUnderTest } from "./compliance/driver.ts";
export { sampleAgent, sampleBuild, sampleWorkspaceId } from "./compliance/sample-build.ts";
