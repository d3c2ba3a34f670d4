import { randomUUID } from "node:crypto";

import type { Transition } from "@slipway/api/builds/resource";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type CallerApp, openCallerApp } from "./support/caller-app.ts";
import {
  type JobState,
  seedAgent,
  seedBuild,
  type SeededWorkspace,
  seedWorkspace,
  setJob,
} from "./support/rows.ts";

let app: CallerApp;

beforeEach(async () => {
  app = await openCallerApp();
});

afterEach(() => app[Symbol.asyncDispose]());

describe("an agent token", () => {
  const token = randomUUID();
  let place: SeededWorkspace;

  beforeEach(async () => {
    place = await seedWorkspace(app.database.db);
  });

  type Row = readonly [Transition, JobState];

  /** Creates builds in order, the first of which has the agent; resolves to the status for its token. */
  async function statusAfter(...builds: readonly Row[]): Promise<number> {
    for (const [index, [transition, job]] of builds.entries()) {
      // A pending build's job blocks others.
      const build = await seedBuild(app.database.db, place, {
        number: index + 1,
        transition,
        job: "succeeded",
      });
      if (index === 0) await seedAgent(app.database.db, build, token);
      if (index === builds.length - 1 || job === "failed") {
        await setJob(app.database.db, build.jobId, job);
      }
    }
    return (await app.ask("/agent", token)).status;
  }

  it.each<readonly [number, readonly Row[]]>([
    [200, [["start", "pending"]]],
    [200, [["start", "running"]]],
    [200, [["start", "succeeded"]]],
    [200, [["start", "failed"]]],
    [200, [["stop", "running"]]],
    [
      200,
      [
        ["start", "succeeded"],
        ["stop", "pending"],
      ],
    ],
    [
      200,
      [
        ["start", "succeeded"],
        ["stop", "running"],
      ],
    ],
    [
      401,
      [
        ["start", "succeeded"],
        ["stop", "succeeded"],
      ],
    ],
    [
      401,
      [
        ["start", "succeeded"],
        ["stop", "failed"],
      ],
    ],
    [
      401,
      [
        ["start", "failed"],
        ["stop", "running"],
      ],
    ],
    [
      401,
      [
        ["stop", "succeeded"],
        ["stop", "running"],
      ],
    ],
    [
      401,
      [
        ["start", "succeeded"],
        ["start", "pending"],
      ],
    ],
    [
      401,
      [
        ["start", "succeeded"],
        ["delete", "pending"],
      ],
    ],
    [
      401,
      [
        ["start", "succeeded"],
        ["stop", "succeeded"],
        ["stop", "running"],
      ],
    ],
    [
      401,
      [
        ["start", "succeeded"],
        ["start", "succeeded"],
        ["stop", "running"],
      ],
    ],
  ])("is answered with %i for the builds %j", async (status, builds) => {
    expect(await statusAfter(...builds)).toBe(status);
  });

  it("says which agent calls, in any form of the token", async () => {
    const build = await seedBuild(app.database.db, place, {
      number: 1,
      transition: "start",
      job: "succeeded",
    });
    const agentId = await seedAgent(app.database.db, build, token);
    const { status, body } = await app.ask("/agent", `{${token.toUpperCase()}}`);
    expect([status, body]).toEqual([
      200,
      {
        agentId,
        agentName: "main",
        buildId: build.buildId,
        workspaceId: place.workspaceId,
        ownerId: place.userId,
        authenticatedAt: expect.any(String),
      },
    ]);
  });

  it("is worth nothing once its agent or its workspace is deleted", async () => {
    expect(await statusAfter(["start", "succeeded"])).toBe(200);
    await app.database.db.updateTable("workspaces").set({ deleted: true }).execute();
    expect((await app.ask("/agent", token)).status).toBe(401);
    await app.database.db.updateTable("workspaces").set({ deleted: false }).execute();
    await app.database.db.updateTable("workspace_agents").set({ deleted: true }).execute();
    expect((await app.ask("/agent", token)).status).toBe(401);
  });

  it.each([
    [undefined, { message: 'Cookie "coder_session_token" must be provided.' }],
    [
      "abc",
      {
        message: "Workspace agent token invalid.",
        detail: "An agent token must be a valid UUIDv4. (len 3)",
      },
    ],
    [randomUUID(), { message: "Workspace agent not authorized." }],
  ])("refuses %j", async (bad, body) => {
    expect(await app.ask("/agent", bad)).toMatchObject({ status: 401, body });
  });
});
