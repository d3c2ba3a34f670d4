import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import {
  openTestDatabase,
  postgresTarget,
  postgresUrlAt,
  TcpProxy,
  testAdmin,
} from "@slipway/testkit";
import {
  buildAgentImage,
  buildHelm,
  openCluster,
  openServiceProxy,
  packImage,
  type TestCluster,
} from "@slipway/testkit/clusters";
import { buildArchive, packMachine } from "@slipway/testkit/engines";
import pg from "pg";

/*
 * The chart `deploy/helm/slipway` on a real cluster. The image of the server has this machine's programs and clone as
 * volumes; the run's PostgreSQL is the external one.
 */

export const chart = fileURLToPath(new URL("../../../../../deploy/helm/slipway", import.meta.url));

const clone = fileURLToPath(new URL("../../../../..", import.meta.url));

/** The namespace of the release `slipway`, which the chart's own namespace of workspaces is not. */
export const release = { name: "slipway", namespace: "slipway", workspaces: "workspaces" } as const;

const agentImage = "slipway.test/agent:1";

export interface OpenChart extends AsyncDisposable {
  readonly cluster: TestCluster;
  /** The URL of the service, for people and pods. */
  readonly url: string;
  /** The URL of the servers' database, on this machine. */
  readonly databaseUrl: string;
  /** A directory for the files of tests. */
  readonly directory: string;
  /** The arguments that name the release, the chart and the values of the tests. */
  readonly installation: readonly string[];
  /** Runs `helm` and resolves to what it prints; throws an error that contains its reason. */
  helm(...args: readonly string[]): Promise<string>;
}

/** Opens a cluster with everything that an installation needs. */
export async function openChart(postgresUrl: string): Promise<OpenChart> {
  await using opening = new AsyncDisposableStack();
  const program = await buildHelm();
  const { path: archive } = await buildArchive();
  const cluster = opening.use(await openCluster());
  await cluster.importImage(await buildAgentImage(agentImage));
  await cluster.importImage(await packServer());
  const directory = await mkdtemp(join(tmpdir(), "slipway-chart-"));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  const database = await openEmptyDatabase(postgresUrl, cluster.hostAddress, opening);
  for (const namespace of [release.namespace, release.workspaces]) {
    await cluster.kubectl(["create", "namespace", namespace]);
    await cluster.kubectl(["wait", "--for=create", "serviceaccount/default", `-n${namespace}`]);
  }
  const secret = {
    "postgres-url": database.urlForPods,
    "secret-key": "k".repeat(40),
    "admin-password": testAdmin.password,
  };
  const literals = Object.entries(secret).map(([name, value]) => `--from-literal=${name}=${value}`);
  const inNamespace = `-n${release.namespace}`;
  await cluster.kubectl(["create", "secret", "generic", "server", inNamespace, ...literals]);
  const service = { namespace: release.namespace, name: release.name, port: 3000 };
  const proxy = opening.use(await openServiceProxy(cluster, service));
  const values = join(directory, "values.yaml");
  await writeFile(values, JSON.stringify(valuesOf(cluster, proxy.url, archive)));
  const env = { PATH: process.env["PATH"], HOME: directory, KUBECONFIG: cluster.kubeconfig };
  const opened = opening.move();
  return {
    cluster,
    url: proxy.url,
    databaseUrl: database.url,
    directory,
    installation: [release.name, chart, inNamespace, "--values", values],
    helm: async (...args) => (await promisify(execFile)(program, args, { env })).stdout,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Packs an image of the server, whose programs are volumes. */
async function packServer(): Promise<Uint8Array> {
  return packImage({
    name: "slipway.test/server:1",
    layers: [await packMachine()],
    entrypoint: [
      "/clone/node_modules/node/bin/node",
      "--conditions=@slipway/source",
      "/clone/packages/cli/bin/slipway.js",
    ],
  });
}

/** Opens a database without tables that pods reach. */
async function openEmptyDatabase(
  postgresUrl: string,
  hostAddress: string,
  opening: AsyncDisposableStack,
): Promise<{ readonly url: string; readonly urlForPods: string }> {
  const database = opening.use(await openTestDatabase(postgresUrl));
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query("drop schema public cascade; create schema public");
  await client.end();
  const target = postgresTarget(database.url);
  const proxy = opening.use(await TcpProxy.open(() => [target], hostAddress));
  const url = new URL(postgresUrlAt(database.url, proxy.port));
  url.hostname = hostAddress;
  return { url: database.url, urlForPods: url.href };
}

function valuesOf(cluster: TestCluster, url: string, archive: string): object {
  const mounted = [
    ["usr", "/usr", "/usr"],
    ["clone", clone, "/clone"],
  ] as const;
  return {
    accessUrl: url,
    image: { repository: "slipway.test/server", tag: "1", pullPolicy: "Never" },
    secret: { name: "server" },
    settings: {
      SLIPWAY_MAX_UNFINISHED_BYTES: 134_217_728,
      SLIPWAY_DOWNLOADS_DIR: join("/clone", relative(clone, dirname(archive))),
    },
    // The cluster of the tests has no addresses of services.
    env: [
      { name: "KUBERNETES_SERVICE_HOST", value: cluster.hostAddress },
      { name: "KUBERNETES_SERVICE_PORT", value: String(cluster.apiPort) },
    ],
    drainSeconds: 3,
    kubernetes: { enabled: true, namespace: release.workspaces, agentImage },
    resources: {},
    volumes: mounted.map(([name, path]) => ({ name, hostPath: { path } })),
    volumeMounts: mounted.map(([name, , mountPath]) => ({ name, mountPath, readOnly: true })),
  };
}
