import { expect, it } from "vitest";

import { readClusters } from "./cluster-settings.ts";
import type { SettingSource } from "./setting-source.ts";

/** Reads clusters with these variables after `SLIPWAY_KUBERNETES`. */
function read(settings: Readonly<Record<string, string>>) {
  const faults: string[] = [];
  const source: SettingSource = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [`SLIPWAY_KUBERNETES${key}`, value]),
  );
  const clusters = readClusters(source, (name, wanted) => {
    faults.push(`${name}: ${wanted}`);
    return undefined;
  });
  return { clusters, faults };
}

it("knows no cluster by default", () => {
  expect(read({})).toEqual({ clusters: [], faults: [] });
  expect(read({ "": "off", _NAMESPACE: "workspaces" })).toEqual({ clusters: [], faults: [] });
});

it("reads a cluster without a name, and numbered ones by their names", () => {
  const { clusters, faults } = read({
    "": "/etc/main",
    _CONTEXT: "admin",
    _NAMESPACE: "workspaces",
    _ALLOW: "patches, service-accounts",
    _ACCESS_URL: "https://inside.example/",
    _AGENT_IMAGE: "registry.example/agent:1",
    _0_ID: "eu-1",
    _0_KUBECONFIG: "/etc/eu",
    _7_ID: "us",
    _7_KUBECONFIG: "/etc/us",
    _7_CONTEXT: "west",
    _7_NAMESPACE: "dev",
    _7_ALLOW: "patches",
    _7_ACCESS_URL: "https://us.example",
    _7_AGENT_IMAGE: "registry.example/agent:2",
  });
  expect(faults).toEqual([]);
  expect(clusters).toEqual([
    {
      name: "kubernetes",
      source: { kind: "kubeconfig", path: "/etc/main", context: "admin" },
      namespace: "workspaces",
      allow: new Set(["patches", "service-accounts"]),
      accessUrl: "https://inside.example",
      agentImage: "registry.example/agent:1",
      variables: {
        source: "SLIPWAY_KUBERNETES",
        allow: "SLIPWAY_KUBERNETES_ALLOW",
        accessUrl: "SLIPWAY_KUBERNETES_ACCESS_URL",
      },
    },
    {
      name: "kubernetes/eu-1",
      source: { kind: "kubeconfig", path: "/etc/eu", context: undefined },
      namespace: undefined,
      // A template is as free as the operator of this cluster permits.
      allow: new Set(),
      accessUrl: "https://inside.example",
      agentImage: "registry.example/agent:1",
      variables: {
        source: "SLIPWAY_KUBERNETES_0_KUBECONFIG",
        allow: "SLIPWAY_KUBERNETES_0_ALLOW",
        accessUrl: "SLIPWAY_KUBERNETES_0_ACCESS_URL",
      },
    },
    {
      name: "kubernetes/us",
      source: { kind: "kubeconfig", path: "/etc/us", context: "west" },
      namespace: "dev",
      allow: new Set(["patches"]),
      accessUrl: "https://us.example",
      agentImage: "registry.example/agent:2",
      variables: {
        source: "SLIPWAY_KUBERNETES_7_KUBECONFIG",
        allow: "SLIPWAY_KUBERNETES_7_ALLOW",
        accessUrl: "SLIPWAY_KUBERNETES_7_ACCESS_URL",
      },
    },
  ]);
});

const valid = { _0_ID: "eu", _0_KUBECONFIG: "in-cluster" };

it.each([
  [{ _NAMESPACE: "Upper" }, "_NAMESPACE: the name of a namespace"],
  [{ _ALLOW: "patches,everything" }, "_ALLOW: some of patches, runtime-classes, service-accounts"],
  [{ _ACCESS_URL: "ftp://x" }, "_ACCESS_URL: "],
  [{ _0_ID: "Eu", _0_KUBECONFIG: "x" }, "_0_ID: a name of at most 21 lowercase letters"],
  [{ _0_ID: "a".repeat(22), _0_KUBECONFIG: "x" }, "_0_ID: a name of at most 21"],
  [{ _0_KUBECONFIG: "x" }, "_0_ID: a name of at most 21"],
  [{ _0_ID: "eu" }, "_0_KUBECONFIG: the path of a kubeconfig, or in-cluster"],
  [{ ...valid, _0_NAMESPACE: "a/b" }, "_0_NAMESPACE: the name of a namespace"],
  [{ ...valid, _0_ALLOW: "everything" }, "_0_ALLOW: some of patches"],
  [{ ...valid, _0_ACCESS_URL: "ftp://x" }, "_0_ACCESS_URL: a URL"],
  [{ ...valid, _0_CONTXT: "x" }, "_0_CONTXT: one of the settings of clusters: ID, KUBECONFIG"],
  [{ ...valid, _1_ID: "eu", _1_KUBECONFIG: "x" }, "_1_ID: an id that no other cluster has"],
])("refuses %j", (settings, fault) => {
  expect(read(settings).faults).toEqual([expect.stringContaining(`SLIPWAY_KUBERNETES${fault}`)]);
});
