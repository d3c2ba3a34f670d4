/*
 * A process that runs one method of the driver and prints `done`, for tests that kill it: its argument is the JSON of a
 * `DriverCall`.
 */
import type { DriverBuild } from "@slipway/drivers";

import { openDriver, signal } from "./driver-stage.ts";

export interface DriverCall {
  readonly socketPath: string;
  readonly method: "start" | "stop" | "delete";
  readonly build: DriverBuild;
}

const call: DriverCall = JSON.parse(process.argv[2] ?? "{}");
const driver = await openDriver(call);
const log = {
  write: (_level: string, _stage: string, line: string) => void process.stdout.write(`${line}\n`),
};
await driver[call.method](call.build, log, signal);
process.stdout.write("done\n");
