export { describeDriver } from "./compliance/driver.ts";
export type { DriverUnderTest } from "./compliance/driver.ts";
