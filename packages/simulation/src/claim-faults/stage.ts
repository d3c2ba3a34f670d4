import { buildAgent } from "@slipway/testkit";

import { Random } from "../engine/random.ts";
import { Claims } from "./claims.ts";
import { type Deployment, openDeployment } from "./deployment.ts";
import { Fleet } from "./fleet.ts";
import type { ClaimFaultsOptions } from "./options.ts";
import { openPeople, type Person, pushPool } from "./people.ts";

/** All participants: servers with their dependencies, people, and the agents of their workspaces. */
export interface Stage extends AsyncDisposable {
  readonly deployment: Deployment;
  readonly people: readonly Person[];
  readonly fleet: Fleet;
  readonly claims: Claims;
  /** The processes that ended by themselves, and should not have. */
  readonly surprises: readonly string[];
}

/** Opens everything in a directory, without faults or claims yet. */
export async function openStage(directory: string, options: ClaimFaultsOptions): Promise<Stage> {
  const { servers, users, instances, seed, claims: count, claimsPerSecond: perSecond } = options;
  await using opening = new AsyncDisposableStack();
  const surprises: string[] = [];
  const onSurprise = (what: string): void => void surprises.push(what);
  await buildAgent();
  const deployment = opening.use(await openDeployment({ directory, servers, onSurprise }));
  const { proxies } = deployment;
  const { admin, people } = await openPeople(proxies["users and servers"].url, users);
  const wish = await pushPool(admin, instances);
  const serverUrl = proxies["agents and servers"].url;
  const fleet = opening.use(new Fleet({ directory, serverUrl, admin, onSurprise }));
  const claims = new Claims({ wish, fleet, random: new Random(seed + 1), count, perSecond });
  const opened = opening.move();
  return {
    deployment,
    people,
    fleet,
    claims,
    surprises,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
