import { buildAgent } from "@slipway/testkit";
import { Random } from "@slipway/testkit/random";

import { type Actor, openActors } from "./actors.ts";
import { Claims } from "./claims.ts";
import { type Deployment, openDeployment } from "./deployment.ts";
import { Fleet } from "./fleet.ts";
import type { ClaimFaultsOptions } from "./options.ts";
import { pushPool } from "./pool-template.ts";

/** All participants: servers with their dependencies, users, and the agents of their workspaces. */
export interface Stage extends AsyncDisposable {
  readonly deployment: Deployment;
  readonly actors: readonly Actor[];
  readonly fleet: Fleet;
  readonly claims: Claims;
  /** The processes that exited unexpectedly. */
  readonly unexpectedExits: readonly string[];
}

/** Opens everything in a directory, before any faults or claims. */
export async function openStage(directory: string, options: ClaimFaultsOptions): Promise<Stage> {
  const { servers, users, instances, seed, claims: count, claimsPerSecond: perSecond } = options;
  await using opening = new AsyncDisposableStack();
  const unexpectedExits: string[] = [];
  const onUnexpectedExit = (what: string): void => void unexpectedExits.push(what);
  await buildAgent();
  const deployment = opening.use(await openDeployment({ directory, servers, onUnexpectedExit }));
  const { proxies } = deployment;
  const { admin, actors } = await openActors(proxies["users and servers"].url, users);
  const request = await pushPool(admin, instances);
  const serverUrl = proxies["agents and servers"].url;
  const fleet = opening.use(new Fleet({ directory, serverUrl, admin, onUnexpectedExit }));
  const claims = new Claims({ request, fleet, random: new Random(seed + 1), count, perSecond });
  const opened = opening.move();
  return {
    deployment,
    actors,
    fleet,
    claims,
    unexpectedExits,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
