import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { readEndpoint } from "./kubeconfig.ts";

const variables = { source: "SLIPWAY_KUBERNETES" };
let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-test-"));
});

afterAll(() => rm(directory, { recursive: true }));

interface ConfigFields {
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly user?: Readonly<Record<string, unknown>>;
}

/** Reads a kubeconfig with two contexts, of which `main` is the current one. */
async function read({ cluster, user }: ConfigFields, context?: string, namespace?: string) {
  const path = join(directory, "config");
  const config = {
    "current-context": "main",
    contexts: [
      { name: "main", context: { cluster: "c", user: "u", namespace: "dev" } },
      { name: "plain", context: { cluster: "c", user: "u" } },
    ],
    clusters: [{ name: "c", cluster: { server: "https://10.0.0.1:6443/", ...cluster } }],
    users: [{ name: "u", user: { token: "secret", ...user } }],
  };
  await writeFile(path, JSON.stringify(config));
  return readEndpoint({ source: { kind: "kubeconfig", path, context }, namespace, variables });
}

it("reads the current context, another one, and another namespace", async () => {
  expect(await read({})).toMatchObject({ url: "https://10.0.0.1:6443", namespace: "dev" });
  expect(await read({}, "plain")).toMatchObject({ namespace: "default" });
  expect(await read({}, "plain", "other")).toMatchObject({ namespace: "other" });
  expect(await (await read({})).readToken?.()).toBe("secret");
});

it("reads certificates that stand in the file and in others, and a token that changes", async () => {
  await writeFile(join(directory, "key.pem"), "key");
  await writeFile(join(directory, "token"), "first\n");
  const { ca, certificate, readToken } = await read({
    cluster: { "certificate-authority-data": Buffer.from("ca").toString("base64") },
    user: {
      "client-certificate-data": Buffer.from("cert").toString("base64"),
      "client-key": "key.pem",
      tokenFile: "token",
    },
  });
  expect({ ca, certificate }).toEqual({ ca: "ca", certificate: { cert: "cert", key: "key" } });
  expect(await readToken?.()).toBe("first");
  await writeFile(join(directory, "token"), "second\n");
  expect(await readToken?.()).toBe("second");
});

it.each([
  [{ user: { exec: { command: "aws" } } }, "exec is not supported"],
  [{ user: { username: "a" } }, "username is not supported"],
  [{ cluster: { "proxy-url": "http://proxy" } }, "proxy-url is not supported"],
  [{ cluster: { "insecure-skip-tls-verify": true } }, "insecure-skip-tls-verify lets anyone"],
  [{ cluster: { server: "10.0.0.1" } }, "the cluster has no server"],
])("refuses %j", async (fields, message) => {
  await expect(read(fields)).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining(message),
  });
});

it("names the context, the file and the setting of what is missing", async () => {
  await expect(read({}, "absent")).rejects.toThrow(
    `cannot use ${join(directory, "config")} (SLIPWAY_KUBERNETES): contexts has no "absent"`,
  );
  const inCluster = { kind: "in-cluster", environment: { host: "", port: "" } } as const;
  await expect(
    readEndpoint({ source: inCluster, namespace: undefined, variables }),
  ).rejects.toThrow("the server does not run in a pod");
});
