import { expect, it } from "vitest";

import type { DriverBuild } from "./driver-build.ts";
import { defaultDriverLimits } from "./driver-build.ts";
import type { DriverLog, Driver, DriverReading, DriverResult } from "./driver.ts";
import { ExternalDriver } from "./external/external-driver.ts";
import { refuseAborted } from "./refuse-aborted.ts";

const template = {
  id: "t",
  notes: undefined,
  name: "one",
  version: "v1",
  settings: {},
  directory: undefined,
};
const build: DriverBuild = {
  id: "b",
  number: 1,
  transition: "start",
  workspace: {
    id: "w",
    name: "dev",
    owner: {
      id: "o",
      username: "ana",
      name: "",
      email: "",
      roles: [],
      organizationId: "",
      loginType: "password",
      gitKey: undefined,
    },
  },
  template,
  parameters: {},
  isPrebuild: false,
  keepState: async () => undefined,
  hold: () => Promise.reject(new Error("nothing holds this build")),
  agents: [],
  limits: defaultDriverLimits,
  accessUrl: "http://localhost",
  readState: async () => undefined,
};
const log: DriverLog = { write: () => undefined };
const result: DriverResult = { state: undefined, resources: [] };
const reading: DriverReading = {
  definition: {
    driver: "terraform",
    displayName: "",
    description: "",
    icon: "",
    parameters: [],
    presets: [],
    onClaim: undefined,
    externalAuth: undefined,
    agents: [],
  },
  resources: [],
  notes: undefined,
};

/** A driver that records which of its methods begin. */
function recordingDriver(begun: string[]): Driver {
  const begin = async <T>(method: string, value: T): Promise<T> => {
    begun.push(method);
    return value;
  };
  return {
    name: "terraform",
    plan: () => begin("plan", { resources: [] }),
    start: () => begin("start", result),
    stop: () => begin("stop", result),
    delete: () => begin("delete", result),
    observe: () => begin("observe", { agents: [] }),
    claim: () => begin("claim", result),
    read: () => begin("read", reading),
    readParameters: () => begin("readParameters", []),
    watch: () => begin("watch", undefined),
  };
}

const readInput = {
  key: "v",
  template,
  parameters: {},
  accessUrl: "",
  owner: build.workspace.owner,
};

function callAll(driver: Driver, signal: AbortSignal): Promise<unknown>[] {
  return [
    driver.plan({ template, parameters: {}, agents: [], purpose: "push" }, log, signal),
    driver.start(build, log, signal),
    driver.stop(build, log, signal),
    driver.delete(build, log, signal),
    driver.observe({ workspaceId: "w", agents: [], state: undefined }, signal),
    driver.claim?.(build, log, signal) ?? Promise.resolve(),
    driver.read?.({ ...readInput, owner: undefined }, log, signal) ?? Promise.resolve(),
    driver.readParameters?.({ ...readInput, sources: [] }, signal) ?? Promise.resolve(),
    driver.watch?.(() => undefined, signal) ?? Promise.resolve(),
  ];
}

it("begins nothing with a signal that is aborted, and rejects with its reason", async () => {
  const begun: string[] = [];
  const reason = new Error("canceled");
  const calls = callAll(refuseAborted(recordingDriver(begun)), AbortSignal.abort(reason));
  const ends = await Promise.allSettled(calls);
  expect(ends).toEqual(ends.map(() => ({ status: "rejected", reason })));
  expect(begun).toEqual([]);
});

it("passes every call on otherwise", async () => {
  const begun: string[] = [];
  const ends = await Promise.all(
    callAll(refuseAborted(recordingDriver(begun)), new AbortController().signal),
  );
  expect(begun).toEqual([
    "plan",
    "start",
    "stop",
    "delete",
    "observe",
    "claim",
    "read",
    "readParameters",
    "watch",
  ]);
  expect(ends).toEqual([
    { resources: [] },
    result,
    result,
    result,
    { agents: [] },
    result,
    reading,
    [],
    undefined,
  ]);
});

it("keeps what a driver says of itself", () => {
  expect(refuseAborted(new ExternalDriver())).toMatchObject({
    name: "external",
    refusal: undefined,
  });
  expect(refuseAborted(new ExternalDriver())).not.toHaveProperty("claim");
  expect(refuseAborted(new ExternalDriver())).not.toHaveProperty("read");
  expect(refuseAborted(new ExternalDriver())).not.toHaveProperty("readParameters");
  expect(refuseAborted(new ExternalDriver())).not.toHaveProperty("watch");
  expect(refuseAborted({ ...recordingDriver([]), refusal: "is off" }).refusal).toBe("is off");
});
