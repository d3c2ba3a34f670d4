import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { buildHelm } from "@slipway/testkit/clusters";
import { beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";

/* The objects of the chart on which an upgrade without failed requests depends, rendered without a cluster. */

const chart = fileURLToPath(new URL("../../../../deploy/helm/slipway", import.meta.url));
const guide = new URL("../../../../docs/kubernetes.md", import.meta.url);
const required = "accessUrl=https://slipway.example.com,secret.name=server";
let program = "";

beforeAll(async () => {
  program = await buildHelm();
});

async function renderAll(...settings: readonly string[]) {
  const words = ["template", "team", chart, "--namespace=servers"];
  const values = [required, ...settings].flatMap((setting) => ["--set", setting]);
  const { stdout } = await promisify(execFile)(program, [...words, ...values]);
  return parseAllDocuments(stdout).map((document) => document.toJS());
}

async function render(kind: string, ...settings: readonly string[]) {
  return (await renderAll(...settings)).find((one) => one?.kind === kind);
}

async function renderPod(...settings: readonly string[]) {
  const { spec } = (await render("Deployment", ...settings)).spec.template;
  return { ...spec, server: spec.containers[0] };
}

function variablesOf(pod: Awaited<ReturnType<typeof renderPod>>): Record<string, string> {
  const pairs = pod.server.env.map(({ name, value }: Record<string, string>) => [name, value]);
  return Object.fromEntries(pairs);
}

interface IngressRule {
  readonly host: string;
  readonly http: {
    readonly paths: readonly {
      readonly path: string;
      readonly pathType: string;
      readonly backend: { readonly service: { readonly name: string } };
    }[];
  };
}

describe("the pods of servers", () => {
  it("are replaced one at a time, each after its successor serves", async () => {
    const { spec } = await render("Deployment", "replicas=3");
    expect(spec).toMatchObject({
      replicas: 3,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    });
  });

  it.each([0, 15, 600])(
    "have the time to drain for %i s and to stop afterwards",
    async (seconds) => {
      const pod = await renderPod(`drainSeconds=${seconds}`);
      expect(variablesOf(pod)["SLIPWAY_MAX_DRAIN_SECONDS"]).toBe(String(seconds));
      expect(pod.terminationGracePeriodSeconds - seconds).toBeGreaterThanOrEqual(60);
    },
  );

  it("get no requests while they drain, and are not restarted for it or for the database", async () => {
    const pod = await renderPod();
    const { readinessProbe, livenessProbe, startupProbe } = pod.server;
    expect(readinessProbe.httpGet.path).toBe("/healthz");
    expect([livenessProbe.httpGet.path, startupProbe.httpGet.path]).not.toContain("/healthz");
    // The drain lasts until the probe has failed.
    const noticedSeconds = readinessProbe.periodSeconds * readinessProbe.failureThreshold;
    expect(Number(variablesOf(pod)["SLIPWAY_MAX_DRAIN_SECONDS"])).toBeGreaterThan(noticedSeconds);
  });

  it("may start for as long as a migration is expected to last", async () => {
    const { server } = await renderPod("startSeconds=900");
    const { periodSeconds, failureThreshold } = server.startupProbe;
    expect(periodSeconds * failureThreshold).toBeGreaterThanOrEqual(900);
    const { spec } = await render("Deployment", "startSeconds=900");
    expect(spec.progressDeadlineSeconds).toBeGreaterThan(900);
  });

  it("read secrets from files only", async () => {
    const variables = variablesOf(await renderPod());
    const secret = /POSTGRES_URL|SECRET_KEY|PASSWORD/;
    const names = Object.keys(variables).filter((name) => secret.test(name));
    expect(names.toSorted()).toEqual([
      "SLIPWAY_ADMIN_PASSWORD_FILE",
      "SLIPWAY_POSTGRES_URL_FILE",
      "SLIPWAY_SECRET_KEY_FILE",
    ]);
  });
});

describe("the migration before an upgrade", () => {
  it("runs in the image and with the settings of the servers, before anything of the chart is there", async () => {
    const settings = [
      "settings.SLIPWAY_LOG_LEVEL=debug",
      "env[0].name=PGPASSWORD,env[0].valueFrom.secretKeyRef.name=database",
      "volumes[0].name=ca,volumeMounts[0].name=ca,volumeMounts[0].mountPath=/ca",
      "image.tag=v2,image.pullSecrets={registry}",
      "nodeSelector.disk=fast",
      "podLabels.team=edge",
    ];
    const job = await render("Job", ...settings);
    const { server, ...pod } = await renderPod(...settings);
    expect(job.metadata.annotations["helm.sh/hook"]).toBe("pre-install,pre-upgrade");
    const { spec } = job.spec.template;
    const [{ name, args, ...container }] = spec.containers;
    expect([name, ...args]).toEqual(["migration", "server", "migrate"]);
    expect(server).toMatchObject(container);
    expect(container.env).toEqual(server.env);
    const { serviceAccountName, ...rest } = spec;
    expect(serviceAccountName).toBeUndefined();
    for (const part of ["securityContext", "volumes", "imagePullSecrets", "nodeSelector"]) {
      expect(rest[part]).toEqual(pod[part]);
    }
    expect(rest).toMatchObject({ automountServiceAccountToken: false, restartPolicy: "Never" });
  });

  it("has an end, and gets no requests", async () => {
    const job = await render("Job", "startSeconds=600", "podLabels.team=edge");
    expect(job.spec).toMatchObject({ activeDeadlineSeconds: 600, backoffLimit: 2 });
    const { labels } = job.spec.template.metadata;
    expect(labels).toMatchObject({ team: "edge" });
    const { selector } = (await render("Service")).spec;
    expect(labels).not.toMatchObject(selector);
  });

  it.each(["migrationHook=false", "strategy=Recreate"])(
    "is left to the servers with %s",
    async (setting) => {
      expect(await render("Job", setting)).toBeUndefined();
    },
  );
});

describe("objects beside the pods", () => {
  const kinds = {
    Service: ["spec", "selector"],
    PodDisruptionBudget: ["spec", "selector", "matchLabels"],
    NetworkPolicy: ["spec", "podSelector", "matchLabels"],
  } as const;
  const on = ["podDisruptionBudget.enabled=true", "networkPolicy.enabled=true"];
  const instance = { "app.kubernetes.io/instance": "team" };

  it.each(Object.entries(kinds))(
    "%s selects exactly the pods of its release",
    async (kind, path) => {
      const labels = (await render("Deployment")).spec.template.metadata.labels;
      let selector = await render(kind, ...on);
      for (const name of path) selector = selector[name];
      expect(labels).toMatchObject(selector);
      expect(selector["app.kubernetes.io/instance"]).toBe("team");
    },
  );

  it("evicts one server at a time, and one that cannot serve at any time", async () => {
    expect((await render("PodDisruptionBudget", ...on)).spec).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    });
  });

  it("lets servers reach each other, and no one else unless permitted", async () => {
    const { ingress, policyTypes } = (await render("NetworkPolicy", ...on)).spec;
    expect(policyTypes).toEqual(["Ingress"]);
    expect(ingress).toHaveLength(1);
    expect(ingress[0].from).toEqual([
      { podSelector: { matchLabels: expect.objectContaining(instance) } },
    ]);
  });

  it("lets servers reach each other, names and what the operator names, once that is limited", async () => {
    const cidr = "networkPolicy.egress[0].to[0].ipBlock.cidr=10.0.0.0/8";
    const { egress, policyTypes } = (await render("NetworkPolicy", ...on, cidr)).spec;
    expect(policyTypes).toEqual(["Ingress", "Egress"]);
    expect(egress).toEqual([
      { to: [{ podSelector: { matchLabels: expect.objectContaining(instance) } }] },
      {
        ports: [
          { port: 53, protocol: "UDP" },
          { port: 53, protocol: "TCP" },
        ],
      },
      { to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] },
    ]);
  });

  it("shows no metrics to users, but the paths of their own applications", async () => {
    const { rules } = (
      await render("Ingress", "ingress.enabled=true", "ingress.appHosts={*.apps.example.com}")
    ).spec;
    const shown = rules.map(({ host, http }: IngressRule) => [
      host,
      http.paths.map(({ path, pathType, backend }) => [path, pathType, backend.service.name]),
    ]);
    expect(shown).toEqual([
      [
        "slipway.example.com",
        [
          ["/metrics", "Exact", "team-slipway-nowhere"],
          ["/", "Prefix", "team-slipway"],
        ],
      ],
      ["*.apps.example.com", [["/", "Prefix", "team-slipway"]]],
    ]);
    const all = await renderAll("ingress.enabled=true");
    const nowhere = all.find((one) => one?.metadata.name === "team-slipway-nowhere");
    expect(nowhere.spec.selector).toBeUndefined();
  });
});

describe("the rights of servers", () => {
  const on = ["kubernetes.enabled=true", "kubernetes.namespace=workspaces"];

  it("are those of the guide, in the namespace of the workspaces", async () => {
    const [, block = ""] =
      /```yaml\n(.*?kind: Role\n.*?)```/s.exec(await readFile(guide, "utf8")) ?? [];
    const documented = parseAllDocuments(block).map((document) => document.toJS());
    for (const kind of ["Role", "ClusterRole"]) {
      const rendered = await render(kind, ...on);
      expect(rendered.rules).toEqual(documented.find((one) => one.kind === kind).rules);
      const binding = await render(`${kind}Binding`, ...on);
      expect(binding.roleRef).toMatchObject({ kind, name: rendered.metadata.name });
      expect(binding.subjects).toEqual([
        { kind: "ServiceAccount", name: "team-slipway", namespace: "servers" },
      ]);
    }
    for (const kind of ["Role", "RoleBinding"]) {
      expect((await render(kind, ...on)).metadata.namespace).toBe("workspaces");
    }
  });

  it("do not include sandboxes if those are off, and are none without workspaces on the cluster", async () => {
    const { rules } = await render("Role", ...on, "kubernetes.sandboxes=false");
    expect(rules.flatMap(({ resources }: { resources: string[] }) => resources)).toEqual([
      "statefulsets",
      "pods",
      "events",
      "persistentvolumeclaims",
    ]);
    const kinds = (await renderAll()).map((one) => one?.kind);
    expect(kinds.filter((kind) => /Role/.test(kind))).toEqual([]);
    expect((await renderPod()).automountServiceAccountToken).toBe(false);
    expect((await renderPod(...on)).automountServiceAccountToken).toBe(true);
  });
});
