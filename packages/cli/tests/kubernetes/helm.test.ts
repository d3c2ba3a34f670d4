import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { getUser } from "@slipway/api/users/routes";
import { logInAsAdmin, testAdmin } from "@slipway/testkit";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { parseAllDocuments } from "yaml";

import { type EndedCommand, runCommandProcess } from "../support/command-process.ts";
import { chart, type OpenChart, openChart, release } from "./support/open-chart.ts";

/*
 * The chart of the server on a real cluster, and a user's way through workspaces there. Each test goes on from the last, and can
 * be repeated.
 */

const patience = { timeout: 120_000, interval: 500 };

const opened = new AsyncDisposableStack();
let stage: OpenChart;
let before = "";
/** The templates with prebuilds. */
const pools: string[] = [];

beforeAll(async () => {
  stage = opened.use(await openChart(inject("postgresUrl")));
  before = await objects();
});

afterAll(() => opened.disposeAsync());

/** Lists everything that an installation could leave behind. */
function objects(): Promise<string> {
  const kinds = [
    "deployments,replicasets,statefulsets,pods,services,endpointslices,secrets,configmaps,serviceaccounts",
    "roles,rolebindings,clusterroles,clusterrolebindings,poddisruptionbudgets,networkpolicies,ingresses,jobs,pvc",
  ].join(",");
  return stage.cluster.kubectl(["get", kinds, "--all-namespaces", "-o", "name"]);
}

async function pods(namespace: string = release.namespace): Promise<readonly string[]> {
  const format = "jsonpath={range .items[*]}{.metadata.uid}{'\\n'}{end}";
  const listed = await stage.cluster.kubectl(["get", "pods", `-n${namespace}`, "-o", format]);
  return listed.split("\n").filter((uid) => uid !== "");
}

/** Returns the arguments that install the release, or change it if it is installed, and wait until it serves. */
function upgrade(...changes: readonly string[]): readonly string[] {
  return ["upgrade", "--install", ...stage.installation, ...changes, "--wait", "--timeout", "4m"];
}

describe("the chart", () => {
  it("is accepted by helm's own check", async () => {
    const required = ["--set", "accessUrl=https://slipway.example.com,secret.name=server"];
    expect(await stage.helm("lint", "--strict", chart, ...required)).toContain("0 chart(s) failed");
  });

  it.each([
    ["accessUrl=ftp://x", /accessUrl/],
    ["secret.name=", /secret\.name|\/secret\/name/],
    ["replica=3", /'?replica'?/],
    ["replicas=two", /replicas/],
    ["kubernetes.namespace=", /kubernetes.namespace/],
    ["kubernetes.namespace=slipway", /kubernetes\.namespace: workspaces must not run in/],
    ["kubernetes.allow={patches,everything}", /kubernetes.allow.1/],
    ["settings.LOG_LEVEL=debug", /LOG_LEVEL/],
    ["settings.SLIPWAY_SECRET_KEY=x", /settings\.SLIPWAY_SECRET_KEY: put it into the Secret/],
    ["settings.SLIPWAY_DATA_DIR=/x", /settings\.SLIPWAY_DATA_DIR: the chart sets this variable/],
    ["podDisruptionBudget.maxUnavailable=0", /podDisruptionBudget.maxUnavailable/],
  ])("refuses %s, naming the value", async (setting, reason) => {
    const rendered = stage.helm("template", ...stage.installation, "--set", setting);
    await expect(rendered).rejects.toThrow(reason);
  });

  it("renders what is off by default, as the cluster accepts it", async () => {
    const all = [
      "ingress.enabled=true",
      "ingress.appHosts={*.apps.example.com}",
      "ingress.tlsSecret=certificate",
      "networkPolicy.enabled=true",
      "networkPolicy.from[0].namespaceSelector.matchLabels.team=edge",
      "networkPolicy.egress[0].to[0].ipBlock.cidr=10.0.0.0/8",
      "serviceMonitor.enabled=true",
      "serviceMonitor.labels.release=prometheus",
      "trustedProxies={10.0.0.0/8,::1}",
      "accessUrl=https://slipway.example.com:8443",
    ];
    const rendered = await stage.helm("template", ...stage.installation, "--set", all.join(","));
    const documents = parseAllDocuments(rendered).map((document) => document.toJS());
    const monitors = documents.filter(({ kind }) => kind === "ServiceMonitor");
    expect(monitors).toMatchObject([{ metadata: { labels: { release: "prometheus" } } }]);
    const ingress = documents.find(({ kind }) => kind === "Ingress");
    expect(ingress.spec.rules.map(({ host }: { host: string }) => host)).toEqual([
      "slipway.example.com",
      "*.apps.example.com",
    ]);
    // The cluster lacks the kind of the Prometheus operator.
    const others = documents.filter((one) => one !== null && !monitors.includes(one));
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: others });
    const dryRun = ["create", "--dry-run=server", "-f", "-"];
    expect(await stage.cluster.kubectl(dryRun, { input: list })).toContain("networkpolicy");
  });

  it("has pods that satisfy the restricted pod security standard", async () => {
    const rendered = await stage.helm(
      "template",
      ...stage.installation,
      "--set-json",
      "volumes=[]",
    );
    const documents = parseAllDocuments(rendered).map((document) => document.toJS());
    const { template } = documents.find(({ kind }) => kind === "Deployment").spec;
    const mounts = template.spec.containers[0].volumeMounts;
    template.spec.containers[0].volumeMounts = mounts.filter(
      ({ name }: { name: string }) => name !== "usr" && name !== "clone",
    );
    delete template.spec.serviceAccountName;
    const pod = { apiVersion: "v1", kind: "Pod", ...template };
    pod.metadata.name = "restricted";
    const label = "pod-security.kubernetes.io/enforce=restricted";
    await using restricted = await openNamespace("restricted");
    await stage.cluster.kubectl(["label", "namespace", restricted.name, label]);
    const create = ["create", "--dry-run=server", `-n${restricted.name}`, "-f", "-"];
    const accepted = stage.cluster.kubectl(create, { input: JSON.stringify(pod) });
    expect(await accepted).toContain("pod/restricted created");
  });
});

describe("a server that the chart installed", () => {
  it("serves with all replicas, on a database that was migrated before", async () => {
    await stage.helm(...upgrade());
    await expect.poll(() => pods(), patience).toHaveLength(2);
    const all = ["-l", "app.kubernetes.io/name=slipway", "--tail=-1"];
    const log = await stage.cluster.kubectl(["logs", `-n${release.namespace}`, ...all]);
    expect(log).not.toContain("database migrated");
    const admin = await logInAsAdmin(stage.url);
    expect(await admin.call(getUser, { params: { user: "me" } })).toMatchObject({
      email: testAdmin.email,
    });
  });

  it("keeps no secret in the environment of its pods", async () => {
    const described = await stage.cluster.kubectl([
      "get",
      "pods,deployments",
      `-n${release.namespace}`,
      "-o",
      "json",
    ]);
    for (const secret of [testAdmin.password, "k".repeat(40), "postgres://"]) {
      expect(described).not.toContain(secret);
    }
  });

  it("runs a user's workspace in a pod whose home outlives a stop", async () => {
    const { email, password } = testAdmin;
    await slipway("login", stage.url, "--email", email, "--password", password);
    await slipway("templates", "push", await writeTemplate("box", 0));
    await discard("one");
    await slipway("create", "one", "--template", "box", "--yes");
    const inside = await slipway("exec", "one", "--", "sh", "-c", "id -un; touch kept; ls");
    expect(inside.out).toBe("dev\nkept\n");
    const [first] = await pods(release.workspaces);
    await slipway("stop", "one", "--yes");
    expect(await pods(release.workspaces)).toEqual([]);
    await slipway("start", "one", "--yes");
    expect((await slipway("exec", "one", "--", "ls")).out).toBe("kept\n");
    expect(await pods(release.workspaces)).not.toContain(first);
  });

  it("hands a prebuild over without touching its pod", async () => {
    await discard("two");
    // An earlier attempt has claimed from its own pool, which fills again meanwhile.
    pools.push(`pool-${pools.length}`);
    const pool = pools.at(-1) ?? "";
    await slipway("templates", "push", await writeTemplate(pool, 1));
    const waiting = async (): Promise<string> => (await slipway("prebuilds", "list")).out;
    await expect.poll(waiting, patience).toMatch(new RegExp(`${pool}.*small.* 1`));
    const ready = await pods(release.workspaces);
    await slipway("create", "two", "--template", pool, "--preset", "small", "--yes");
    expect((await slipway("exec", "two", "--", "sh", "-c", "echo $OWNER")).out).toBe("admin\n");
    expect(await pods(release.workspaces)).toEqual(expect.arrayContaining([...ready]));
  });

  it("runs workspaces in another namespace too, by the name that the operator gave it", async () => {
    await using second = await openNamespace("second");
    await copyRights(second.name);
    const settings = ["ID=second", "KUBECONFIG=in-cluster", `NAMESPACE=${second.name}`];
    const change = settings.map((one) => `settings.SLIPWAY_KUBERNETES_0_${one}`).join(",");
    await stage.helm(...upgrade("--set", change));
    // An older server, which does not know the name, takes jobs until it ends.
    await expect.poll(() => pods(), patience).toHaveLength(2);
    const wrong = await writeTemplate("wrong", 0, "kubernetes/secnd");
    expect(await tryCommand(["templates", "push", wrong])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/`kubernetes\/secnd` .* available: .*kubernetes\/second/),
    });
    await slipway("templates", "push", await writeTemplate("elsewhere", 0, "kubernetes/second"));
    const others = await pods(release.workspaces);
    await discard("three");
    await slipway("create", "three", "--template", "elsewhere", "--yes");
    expect((await slipway("exec", "three", "--", "id", "-un")).out).toBe("dev\n");
    expect(await pods(second.name)).toHaveLength(1);
    await slipway("delete", "three", "--yes");
    expect(await pods(second.name)).toEqual([]);
    expect(await pods(release.workspaces)).toEqual(others);
  });

  it("is replaced without a failed request, and its workspaces stay", async () => {
    const admin = await logInAsAdmin(stage.url);
    const replaced = await pods();
    const workspaces = await pods(release.workspaces);
    const over = new AbortController();
    const clients = Array.from({ length: 4 }, () => keepAsking(admin.headers, over.signal));
    try {
      await stage.helm(...upgrade("--set", `podAnnotations.change=${randomUUID()}`));
      // Until the last of them has ended.
      const remaining = async () => (await pods()).filter((uid) => replaced.includes(uid));
      await expect.poll(remaining, patience).toEqual([]);
    } finally {
      over.abort();
    }
    const counts = await Promise.all(clients);
    expect(counts.flatMap(({ failures }) => failures)).toEqual([]);
    for (const { answers } of counts) expect(answers).toBeGreaterThan(20);
    expect(await pods(release.workspaces)).toEqual(expect.arrayContaining([...workspaces]));
    const inside = async () => (await tryCommand(["exec", "one", "--", "ls"])).out;
    await expect.poll(inside, patience).toBe("kept\n");
  });

  it("is not replaced by an upgrade whose migration fails, and serves on", async () => {
    const { cluster } = stage;
    const deployment = ["get", "deployment", release.name, `-n${release.namespace}`, "-o", "json"];
    const generation = async () =>
      JSON.parse(await cluster.kubectl(deployment)).metadata.generation;
    const change = ["--set", `podAnnotations.change=${randomUUID()}`];
    const [serving, old] = [await pods(), await generation()];
    const database = new pg.Client({ connectionString: stage.databaseUrl });
    await database.connect();
    await database.query("insert into kysely_migration values ('9999-of-tomorrow', '')");
    try {
      await expect(stage.helm(...upgrade(...change))).rejects.toThrow(/slipway-migration failed/);
      const log = ["logs", `-n${release.namespace}`, "job/slipway-migration"];
      expect(await cluster.kubectl(log)).toContain("was migrated by a newer release of Slipway");
      expect(await generation()).toBe(old);
      expect(await pods()).toEqual(expect.arrayContaining([...serving]));
      await logInAsAdmin(stage.url);
    } finally {
      await database.query("delete from kysely_migration where name = '9999-of-tomorrow'");
      await database.end();
    }
    await stage.helm(...upgrade(...change));
    expect(await generation()).toBe(old + 1);
    expect(await cluster.kubectl(["get", "jobs", `-n${release.namespace}`, "-o", "name"])).toBe("");
  });

  it("leaves no pod of workspaces that are deleted", async () => {
    for (const pool of pools) await slipway("templates", "edit", pool, "--deprecated", "over");
    await discard("one", "two");
    await expect.poll(() => pods(release.workspaces), patience).toEqual([]);
  });

  it("leaves nothing when it is uninstalled", async () => {
    const place = [release.name, `-n${release.namespace}`];
    await stage.helm("uninstall", ...place, "--ignore-not-found", "--wait");
    await expect.poll(objects, patience).toBe(before);
  });
});

interface Counts {
  readonly answers: number;
  readonly failures: readonly string[];
}

/** Reads and changes the user on one connection after the other, and repeats nothing, until the signal aborts. */
async function keepAsking(
  headers: Readonly<Record<string, string>>,
  over: AbortSignal,
): Promise<Counts> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const failures: string[] = [];
  let answers = 0;
  while (!over.aborted) {
    const isRead = answers % 2 === 0;
    const outcome = isRead
      ? await ask(agent, "GET", "/users/me", headers)
      : await ask(agent, "PUT", "/users/me/profile", headers, `{"username":"admin","name":"A"}`);
    answers += 1;
    if (outcome !== 200) failures.push(String(outcome));
  }
  agent.destroy();
  return { answers, failures };
}

/** Sends a request; resolves to the status, or to the error if there is none. */
function ask(
  agent: Agent,
  method: string,
  path: string,
  own: Readonly<Record<string, string>>,
  body = "",
): Promise<number | undefined | Error> {
  return new Promise((resolve) => {
    const headers = { ...own, "Content-Type": "application/json" };
    const sent = request(`${stage.url}/api/v2${path}`, { agent, method, headers }, (response) => {
      text(response).then(() => resolve(response.statusCode), resolve);
    });
    sent.on("error", resolve).end(body);
  });
}

interface OpenNamespace extends AsyncDisposable {
  readonly name: string;
}

/** Creates a namespace under a new name. */
async function openNamespace(purpose: string): Promise<OpenNamespace> {
  const { cluster } = stage;
  const name = `${purpose}-${randomUUID().slice(0, 8)}`;
  await cluster.kubectl(["create", "namespace", name]);
  await cluster.kubectl(["wait", "--for=create", "serviceaccount/default", `-n${name}`]);
  return {
    name,
    [Symbol.asyncDispose]: async () => void (await cluster.kubectl(["delete", "namespace", name])),
  };
}

/** Gives the server the rights in a namespace that it has in the chart's. */
async function copyRights(name: string): Promise<void> {
  const { cluster } = stage;
  const inWorkspaces = ["get", "roles,rolebindings", `-n${release.workspaces}`, "-o", "json"];
  const { items } = JSON.parse(await cluster.kubectl(inWorkspaces));
  for (const { metadata } of items) {
    for (const key of ["namespace", "resourceVersion", "uid"]) delete metadata[key];
  }
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  await cluster.kubectl(["create", `-n${name}`, "-f", "-"], { input: list });
}

/** Deletes the workspaces that are there: an attempt that failed may have left them. */
async function discard(...names: readonly string[]): Promise<void> {
  const listed = (await slipway("list", "--column", "workspace")).out;
  const left = names.filter((name) => new RegExp(String.raw`\b${name}\b`).test(listed));
  if (left.length > 0) await slipway("delete", ...left, "--yes");
}

/** Runs a command that succeeds. */
async function slipway(...words: readonly string[]): Promise<EndedCommand> {
  const ended = await tryCommand(words);
  if (ended.code !== 0) throw new Error(`slipway ${words.join(" ")}: ${ended.err}${ended.out}`);
  return ended;
}

function tryCommand(words: readonly string[]): Promise<EndedCommand> {
  const config = join(stage.directory, "config");
  return runCommandProcess(words, {
    environment: { CODER_CONFIG_DIR: config, CODER_SESSION_TOKEN: "" },
  });
}

/** Writes the example for containers as a template of this cluster, with a number of prebuilds. */
async function writeTemplate(
  name: string,
  prebuilds: number,
  driver = "kubernetes",
): Promise<string> {
  const directory = join(await mkdtemp(join(stage.directory, "template-")), name);
  await mkdir(directory);
  await writeFile(
    join(directory, "slipway.yaml"),
    `
driver: ${driver}
presets: { small: { prebuilds: { instances: ${prebuilds} } } }
agents:
  main:
    os: linux
    arch: amd64
    env: { OWNER: "\${{ owner.username }}" }
    directory: "~"
    container:
      image: ${stage.cluster.image}
      user: dev
      volumes: { home: { path: /home/dev } }
      kubernetes: { volume_size: 64MiB }
`,
  );
  return directory;
}
