import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { getBuildInfo } from "@slipway/api/deployment/routes";
import { getUser } from "@slipway/api/users/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { requireAgent, startAgentProcess } from "@slipway/testkit";
import { expect, it } from "vitest";

import { PlayedClaim } from "./support/played-claim.ts";
import { requireVariable } from "./support/require-variable.ts";
import {
  findStockWorkspace,
  startAnew,
  type StockWorkspace,
  waitForAgent,
} from "./support/stock-workspace.ts";

/*
 * Our agent in a prebuild of a stock server that is claimed. A server without a license has neither, so both are
 * written to its database. The environment has the variables of `stock-server.test.ts` and the URL of that database
 * (SLIPWAY_STOCK_DATABASE). `vitest.config.ts` leaves this file out, and says so, where that is not set.
 */

/**
 * The observation time to show that nothing happens again: the agent asks again at most a minute after a repetition.
 */
const lookOnMs = 75_000;

const ways = [
  { how: "that it is told of", isTold: true },
  { how: "of which its manifest tells", isTold: false },
];

it.each(ways)("our agent starts over once for a claim $how", async ({ isTold }) => {
  await using stage = await openStage();
  const { workspace, played, userId } = stage;
  const waiting = await startAnew(workspace);
  await played.makePrebuild();
  await stage.startAgent();
  const { id: waitingId } = await untilReady(workspace, waiting);

  await played.giveTo(userId);
  const claimed = await startAnew(workspace);
  await played.markClaim(claimed.latest_build.id);
  if (isTold) await played.notify(userId);
  const { id: claimedId } = await untilReady(workspace, claimed);
  const asked = await stage.countAsked();
  expect(asked > 0).toBe(isTold);

  await played.notify(userId);
  await pause(lookOnMs);
  // The server notifies it again each time that it asks.
  expect(await stage.countAsked()).toBeGreaterThan(asked);
  expect(await played.readLines(waitingId)).toEqual(["hello from start"]);
  expect(await played.readLines(claimedId)).toEqual(["bye from stop", "hello from start"]);
});

it("our agent that begins after a claim starts once, also if it is told of it", async () => {
  await using stage = await openStage();
  const { workspace, played, userId } = stage;
  await played.makePrebuild();
  await played.giveTo(userId);
  const claimed = await startAnew(workspace);
  await played.markClaim(claimed.latest_build.id);
  await stage.startAgent();
  const { id } = await untilReady(workspace, claimed);
  await pause(lookOnMs);
  expect((await stage.countAsked()) > 0).toBe(await tellsOfPastClaims(workspace));
  expect(await played.readLines(id)).toEqual(["hello from start"]);
});

/**
 * Reports whether the server notifies agents of claims that happened before they asked: v2.35.1 does, v2.31.0 does
 * not.
 */
async function tellsOfPastClaims({ client }: StockWorkspace): Promise<boolean> {
  const { version } = await client.call(getBuildInfo, {});
  return Number(/^v2\.(\d+)/.exec(version)?.[1]) >= 35;
}

interface Stage extends AsyncDisposable {
  readonly workspace: StockWorkspace;
  readonly played: PlayedClaim;
  /** The name of the workspace's owner. */
  readonly userId: string;
  startAgent(): Promise<void>;
  /** Returns how often the server has asked our agent to reinit. */
  countAsked(): Promise<number>;
}

/** Opens a stage. Disposing of it restores the workspace and ends the agent. */
async function openStage(): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const workspace = findStockWorkspace();
  const { client, id, agentToken: token } = workspace;
  const { id: userId } = await client.call(getUser, { params: { user: "me" } });
  const home = await mkdtemp(join(tmpdir(), "slipway-stock-"));
  opening.defer(() => rm(home, { recursive: true, force: true }));
  const played = opening.use(await PlayedClaim.open(requireVariable("SLIPWAY_STOCK_DATABASE"), id));
  opening.defer(() => played.undo(userId));
  const opened = opening.move();
  return {
    workspace,
    played,
    userId,
    startAgent: async () => {
      const child = await startAgentProcess({ serverUrl: client.serverUrl, token, home });
      const exited = once(child, "exit");
      opened.defer(async () => {
        child.kill("SIGKILL");
        await exited;
      });
    },
    countAsked: async () => {
      const log = await readFile(join(home, "coder-agent.log"), "utf8");
      return log.split("server asks to reinit").length - 1;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Waits until the agent of this build, the newest, is ready. */
function untilReady(workspace: StockWorkspace, built: Workspace): Promise<WorkspaceAgent> {
  const { id } = requireAgent(built);
  return waitForAgent(workspace, (agent) => {
    return agent.id === id && agent.status === "connected" && agent.lifecycle_state === "ready";
  });
}
