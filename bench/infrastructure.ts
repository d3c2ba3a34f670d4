import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { createTemplate } from "@slipway/api/templates/routes";
import type { ApiClient } from "@slipway/sdk/http";
import {
  agentProgram,
  logInAsAdmin,
  makeWorkspace,
  pushVersion,
  startServerProcess,
} from "@slipway/testkit";
import { buildAgentImage, openCluster, type TestCluster } from "@slipway/testkit/clusters";
import { buildArchive } from "@slipway/testkit/engines";
import { buildTerraform } from "@slipway/testkit/terraform";

import { type Bench, defineBenchmark } from "./benchmark.ts";
import { openDirectory } from "./support/our-server.ts";
import { elapsedMs, isReady, noteClaims, removeReady } from "./support/timed-workspaces.ts";

/*
 * The time from the request for a workspace until its agent is ready, beside the infrastructure's own time for the same:
 * `tofu apply` of the same configuration in an initialized directory, and the start of a copy of the pod by `kubectl`
 * until the kubelet calls it ready. A cluster of one node and OpenTofu are built and started for it; needs root, and what
 * the tests of Kubernetes need.
 *
 * Then prebuilds of both are claimed, one after another, beside those of the driver `process` on the same server.
 *
 *   npm run bench:infrastructure [-- --runs=10] [--claims=30] [--drivers=terraform,kubernetes] [--json]
 *
 * Exits with 1 when the median of the server's time exceeds that of the infrastructure by more than a second, or when a
 * claim misses its target.
 */

const maxExtraMs = 1_000;
const execute = promisify(execFile);

export const benchmark = defineBenchmark({
  title: ({ runs }) => `Workspaces of Terraform and Kubernetes, ${String(runs)} runs`,
  options: { runs: 10, claims: 30, drivers: "terraform,kubernetes" },
  // Also that of `bench:claims`; in milliseconds.
  targets: { "request → response, p99": 100 },
  measure: async (bench) => {
    const drivers = bench.options.drivers.split(",");
    if (drivers.includes("terraform")) await measureTerraform(bench);
    if (drivers.includes("kubernetes")) await measureKubernetes(bench);
    for (const own of ["tofu apply", "start of the pod"]) {
      if (bench.findings.runs(own).length === 0) continue;
      const extra = bench.findings.median(`${own}: create to ready`) - bench.findings.median(own);
      bench.findings.note(`${own}: more than that`, "ms", extra);
      bench.findings.require(extra <= maxExtraMs);
    }
  },
});

type InfrastructureBench = Bench<{ runs: number; claims: number; drivers: string }>;

async function measureTerraform({ options, findings, opened }: InfrastructureBench): Promise<void> {
  const { program, configFile } = await buildTerraform();
  const server = opened.use(
    await startServerProcess({
      dataDir: await openDirectory(opened),
      port: 0,
      environment: {
        SLIPWAY_TERRAFORM: program,
        SLIPWAY_TERRAFORM_CONFIG: configFile,
        SLIPWAY_TERRAFORM_USERS: "server",
      },
    }),
  );
  const client = await logInAsAdmin(server.url);
  const [machines, bare] = [await openDirectory(opened), await openDirectory(opened)];
  const configuration = machineOf(server.url, machines);
  const template = await push(client, configuration, { file: "main.tf" });
  await writeFile(join(bare, "main.tf"), configuration);
  const tofu = async (...args: readonly string[]): Promise<void> => {
    const env = { PATH: process.env["PATH"], HOME: bare, TF_CLI_CONFIG_FILE: configFile };
    await execute(program, [...args, "-input=false"], { cwd: bare, env });
  };
  await tofu("init");
  for (let run = 0; run < options.runs; run += 1) {
    const apply = await elapsedMs(() => tofu("apply", "-auto-approve"));
    findings.note("tofu apply", "ms", apply);
    await tofu("destroy", "-auto-approve");
    await noteCreation(findings, client, { own: "tofu apply", template, run });
  }
  for (const [name, file, text] of [
    ["process", "slipway.yaml", processPool],
    ["terraform", "main.tf", `${configuration}${pool}`],
  ] as const) {
    const claimed = await push(client, text, { file, name });
    await noteClaims(findings, client, { name, template: claimed, claims: options.claims });
  }
}

const processPool = `
driver: process
presets: { ready: { prebuilds: { instances: 1 } } }
agents: { main: { os: linux, arch: amd64 } }
`;

/** The pool of a configuration; nothing that its machine consists of changes in a claim. */
const pool = `
data "coder_workspace_preset" "ready" {
  name = "ready"
  prebuilds {
    instances = 1
  }
}
`;

/** Returns a configuration whose machine is an agent that runs as a process here. */
function machineOf(url: string, directory: string): string {
  return `
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace" "me" {}
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
resource "terraform_data" "machine" {
  count = data.coder_workspace.me.start_count
  input = "${directory}/\${data.coder_workspace.me.id}"
  provisioner "local-exec" {
    environment = { CODER_AGENT_TOKEN = coder_agent.main.token, CODER_AGENT_URL = "${url}", HOME = self.input }
    command     = <<-EOT
      mkdir -p "$HOME" && cd "$HOME"
      export CODER_AGENT_SOCKET_SERVER_ENABLED=false CODER_AGENT_PPROF_ADDRESS= CODER_AGENT_PROMETHEUS_ADDRESS= CODER_AGENT_DEBUG_ADDRESS=
      setsid ${process.execPath} ${agentProgram} >agent.log 2>&1 </dev/null & echo $! >pid
    EOT
  }
  provisioner "local-exec" {
    when    = destroy
    command = "kill $(cat \${self.input}/pid) || true"
  }
}
`;
}

async function measureKubernetes({
  options,
  findings,
  opened,
}: InfrastructureBench): Promise<void> {
  const { path: archive } = await buildArchive();
  const cluster = opened.use(await openCluster());
  await cluster.importImage(await buildAgentImage(agentImage));
  await cluster.kubectl(["create", "namespace", namespace]);
  await cluster.kubectl(["wait", "--for=create", "serviceaccount/default", `-n${namespace}`]);
  const server = opened.use(
    await startServerProcess({
      dataDir: await openDirectory(opened),
      port: 0,
      environment: {
        SLIPWAY_HTTP_ADDRESS: `${cluster.hostAddress}:0`,
        SLIPWAY_DOWNLOADS_DIR: dirname(archive),
        SLIPWAY_KUBERNETES: cluster.kubeconfig,
        SLIPWAY_KUBERNETES_NAMESPACE: namespace,
        SLIPWAY_KUBERNETES_AGENT_IMAGE: agentImage,
      },
    }),
  );
  const client = await logInAsAdmin(server.url);
  const template = await push(client, boxOf(cluster));
  const first = await makeWorkspace(client, "first", template, isReady);
  const copy = await copyObjects(cluster);
  await removeReady(client, first.id);
  for (let run = 0; run < options.runs; run += 1) {
    const start = await elapsedMs(async () => {
      await cluster.kubectl(["create", "-f", "-"], { input: copy });
      await cluster.kubectl(["wait", "--for=create", "pod/bare-main-0", `-n${namespace}`]);
      const ready = ["wait", "--for=condition=Ready", "pod/bare-main-0", `-n${namespace}`];
      await cluster.kubectl([...ready, "--timeout=120s"]);
    });
    findings.note("start of the pod", "ms", start);
    await cluster.kubectl(["delete", "--now", "-f", "-"], { input: copy });
    await cluster.kubectl(["wait", "--for=delete", "pod/bare-main-0", `-n${namespace}`]);
    await noteCreation(findings, client, { own: "start of the pod", template, run });
  }
  const waiting = `presets: { ready: { prebuilds: { instances: 1 } } }${boxOf(cluster)}`;
  const claimed = await push(client, waiting, { name: "kubernetes" });
  await noteClaims(findings, client, {
    name: "kubernetes",
    template: claimed,
    claims: options.claims,
  });
}

const namespace = "workspaces";
const agentImage = "slipway.test/agent:1";

function boxOf({ image }: TestCluster): string {
  return `
driver: kubernetes
agents:
  main:
    os: linux
    arch: amd64
    directory: "~"
    container:
      image: ${image}
      user: dev
      volumes: { home: { path: /home/dev } }
      kubernetes: { volume_size: 64MiB }
`;
}

/** Returns the objects of the only workspace under other names, with labels by which the server does not find them. */
async function copyObjects(cluster: TestCluster): Promise<string> {
  const kinds = "statefulsets,persistentvolumeclaims";
  const text = await cluster.kubectl(["get", kinds, `-n${namespace}`, "-o", "json"]);
  const { items } = JSON.parse(
    text
      .replaceAll(/ws-(\w+)-[\da-f]{12}/g, "bare-$1")
      .replaceAll('"slipway/', '"bare/')
      .replaceAll('managed-by": "slipway"', 'managed-by": "bare"'),
  );
  for (const item of items) {
    for (const key of ["uid", "resourceVersion", "creationTimestamp", "annotations"]) {
      delete item.metadata[key];
    }
    delete item.status;
    if (item.kind === "PersistentVolumeClaim") delete item.spec.volumeName;
  }
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

async function push(
  client: ApiClient,
  text: string,
  { file, name = "bench" }: { readonly file?: string; readonly name?: string } = {},
): Promise<string> {
  const version = await pushVersion(client, text, file === undefined ? {} : { file });
  const params = { organization: "default" };
  const body = { name, template_version_id: version };
  return (await client.call(createTemplate, { params, body })).id;
}

interface Creation {
  /** The infrastructure's own time, by its name. */
  readonly own: string;
  readonly template: string;
  readonly run: number;
}

/** Creates a workspace, records the time until its agent is ready, and deletes it. */
async function noteCreation(
  findings: InfrastructureBench["findings"],
  client: ApiClient,
  { own, template, run }: Creation,
): Promise<void> {
  let id = "";
  const ms = await elapsedMs(async () => {
    id = (await makeWorkspace(client, `run-${run}`, template, isReady)).id;
  });
  findings.note(`${own}: create to ready`, "ms", ms);
  await removeReady(client, id);
}
