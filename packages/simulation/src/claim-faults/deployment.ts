import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { TcpProxy, unlimitedWorkspaces } from "@slipway/testkit";

import { PostgresHost } from "./postgres-host.ts";
import { Replica } from "./replica.ts";

/** The pairs of participants whose connections are broken. */
export type Route = "agents and servers" | "users and servers" | "servers and PostgreSQL";

/** Servers on one PostgreSQL, with a proxy between any two participants. */
export interface Deployment extends AsyncDisposable {
  readonly postgres: PostgresHost;
  readonly replicas: readonly Replica[];
  readonly proxies: Readonly<Record<Route, TcpProxy>>;
}

interface DeploymentOptions {
  readonly directory: string;
  readonly servers: number;
  readonly onUnexpectedExit: (what: string) => void;
}

export async function openDeployment(options: DeploymentOptions): Promise<Deployment> {
  const { directory, servers, onUnexpectedExit } = options;
  await using opening = new AsyncDisposableStack();
  const postgres = opening.use(await PostgresHost.open(join(directory, "postgres")));
  const toPostgres = opening.use(await TcpProxy.open(() => [postgres.target]));
  const environment = {
    SLIPWAY_POSTGRES_URL: postgres.urlAt(toPostgres.port),
    SLIPWAY_SECRET_KEY: "a-key-that-all-servers-of-the-test-share",
    SLIPWAY_LOG_LEVEL: "info",
    ...unlimitedWorkspaces,
  };
  const replicas = Array.from({ length: servers }, (_, index) =>
    opening.use(
      new Replica({ name: `server-${index + 1}`, directory, environment, onUnexpectedExit }),
    ),
  );
  // The first server migrates the database.
  for (const replica of replicas) {
    await mkdir(join(directory, replica.name));
    await replica.start();
  }
  const balanced = () => shuffled(replicas).flatMap(({ targets }) => targets);
  const proxies = {
    "agents and servers": opening.use(await TcpProxy.open(balanced)),
    "users and servers": opening.use(await TcpProxy.open(balanced)),
    "servers and PostgreSQL": toPostgres,
  };
  const opened = opening.move();
  return { postgres, replicas, proxies, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/**
 * Shuffles with randomness outside the seed: the server of a connection depends on timing, which the seed does not
 * determine.
 */
function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
