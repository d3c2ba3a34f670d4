import type { Driver, DriverAgent, DriverBuild, DriverLog } from "@slipway/drivers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { sampleAgent, sampleBuild } from "./sample-build.ts";

/** A driver under test, whose agents run until they are stopped. */
export interface DriverUnderTest extends AsyncDisposable {
  readonly driver: Driver;
  /** Another driver object on the same infrastructure, as after a restart of the server. */
  reopen(): Driver;
  /** True if the driver itself can tell whether an agent runs. */
  readonly seesAgents: boolean;
  /** Returns the agent `main` as this driver runs it (default: one without a container). */
  readonly agent?: () => DriverAgent;
}

const { signal } = new AbortController();
const silent: DriverLog = { write: () => undefined };

/** The guarantees of the `Driver` interface, for every driver. `open` is called for each test. */
export function describeDriver(name: string, open: () => Promise<DriverUnderTest>): void {
  describe(`the driver ${name}`, () => {
    let subject: DriverUnderTest;

    beforeEach(async () => {
      subject = await open();
    });

    afterEach(() => subject[Symbol.asyncDispose]());

    function newBuild(fields: Partial<DriverBuild> = {}): DriverBuild {
      return sampleBuild({ agents: [subject.agent?.() ?? sampleAgent("main")], ...fields });
    }

    async function statusOf(driver: Driver, build: DriverBuild): Promise<readonly string[]> {
      return (await driver.observe(await observing(build), signal)).agents.map(
        ({ id, status }) => `${id} ${status}`,
      );
    }

    function expected(build: DriverBuild, runs: boolean): readonly string[] {
      return build.agents.map(
        ({ id }) => `${id} ${runs && subject.seesAgents ? "running" : "absent"}`,
      );
    }

    it("plans a resource for each agent, and changes nothing", async () => {
      const build = newBuild();
      const agentNames = build.agents.map((agent) => agent.name);
      const input = {
        template: build.template,
        parameters: {},
        agents: build.agents,
        purpose: "build",
      } as const;
      const { resources } = await subject.driver.plan(input, silent, signal);
      expect(resources.flatMap((resource) => resource.agentNames)).toEqual(agentNames);
      expect(await statusOf(subject.driver, build)).toEqual(expected(build, false));
    });

    it("starts the same build again without doing anything twice", async () => {
      const build = newBuild();
      const first = await subject.driver.start(build, silent, signal);
      const observed = await subject.driver.observe(await observing(build), signal);
      expect(await subject.driver.start(build, silent, signal)).toEqual(first);
      expect(await subject.driver.observe(await observing(build), signal)).toEqual(observed);
      expect(await statusOf(subject.driver, build)).toEqual(expected(build, true));
    });

    it("keeps the agents of a claimed workspace, whose ids are new and whose tokens are not", async () => {
      const build = newBuild();
      const { state } = await subject.driver.start(build, silent, signal);
      const before = await subject.driver.observe(await observing(build), signal);
      const renamed = <T extends { readonly id: string }>(all: readonly T[]): readonly T[] =>
        all.map((one) => ({ ...one, id: `${one.id}-claimed` }));
      const agents = renamed(build.agents);
      const claimed = newBuild({ id: "build-2", number: 2, readState: async () => state, agents });
      await subject.driver.start(claimed, silent, signal);
      const { agents: observed } = await subject.driver.observe(await observing(claimed), signal);
      expect(observed).toEqual(renamed(before.agents));
    });

    it("replaces the agents of an earlier start, whose tokens are others", async () => {
      const build = newBuild();
      const { state } = await subject.driver.start(build, silent, signal);
      const agents = build.agents.map((agent) => ({ ...agent, token: `new ${agent.token}` }));
      const later = newBuild({ id: "build-2", number: 2, readState: async () => state, agents });
      await subject.driver.start(later, silent, signal);
      expect(await statusOf(subject.driver, later)).toEqual(expected(later, true));
      expect(await statusOf(subject.driver, { ...build, readState: async () => state })).toEqual(
        expected(build, false),
      );
    });

    it("goes on with what another process began", async () => {
      const build = newBuild();
      const { state } = await subject.driver.start(build, silent, signal);
      const later = subject.reopen();
      expect(await statusOf(later, { ...build, readState: async () => state })).toEqual(
        expected(build, true),
      );
      const stop = newBuild({
        id: "build-2",
        number: 2,
        transition: "stop",
        readState: async () => state,
      });
      await later.stop(stop, silent, signal);
      expect(await statusOf(later, stop)).toEqual(expected(build, false));
    });

    it("stops and deletes what is stopped or gone already", async () => {
      const { state } = await subject.driver.start(newBuild(), silent, signal);
      const stop = newBuild({
        id: "build-2",
        number: 2,
        transition: "stop",
        readState: async () => state,
      });
      const stopped = await subject.driver.stop(stop, silent, signal);
      expect(await subject.driver.stop(stop, silent, signal)).toEqual(stopped);
      const { state: left } = stopped;
      const end = newBuild({
        id: "build-3",
        number: 3,
        transition: "delete",
        readState: async () => left,
      });
      const deleted = await subject.driver.delete(end, silent, signal);
      expect(await subject.driver.delete(end, silent, signal)).toEqual(deleted);
      expect(await statusOf(subject.driver, end)).toEqual(expected(end, false));
    });

    it("deletes a workspace that was never started", async () => {
      const end = newBuild({ transition: "delete" });
      await subject.driver.delete(end, silent, signal);
      expect(await statusOf(subject.driver, end)).toEqual(expected(end, false));
    });

    it("starts anew after a stop", async () => {
      const { state } = await subject.driver.start(newBuild(), silent, signal);
      const stop = newBuild({
        id: "build-2",
        number: 2,
        transition: "stop",
        readState: async () => state,
      });
      const { state: left } = await subject.driver.stop(stop, silent, signal);
      const again = newBuild({ id: "build-3", number: 3, readState: async () => left });
      await subject.driver.start(again, silent, signal);
      expect(await statusOf(subject.driver, again)).toEqual(expected(again, true));
    });
  });
}

async function observing(build: DriverBuild): Promise<Parameters<Driver["observe"]>[0]> {
  const { workspace, agents } = build;
  return { workspaceId: workspace.id, agents, state: await build.readState() };
}
