import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { readRegistryCredentials } from "./registry-credentials.ts";

async function configWith(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-registry-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, "config.json");
  await writeFile(path, text);
  return path;
}

const pair = (text: string): string => Buffer.from(text).toString("base64");

it("finds the credentials of a registry, and of no other", async () => {
  const path = await configWith(
    JSON.stringify({
      auths: {
        "https://index.docker.io/v1/": { auth: pair("ann:s3:cret") },
        "registry.example.com:5000": { username: "bob", password: "pass" },
        "https://ghcr.example.com": { identitytoken: "token" },
        "broken.example.com": { auth: pair("no colon") },
      },
    }),
  );
  const read = (registry: string) => readRegistryCredentials(path, registry);
  expect(await read("docker.io")).toEqual({ username: "ann", password: "s3:cret" });
  expect(await read("registry.example.com:5000")).toEqual({ username: "bob", password: "pass" });
  expect(await read("ghcr.example.com")).toEqual({ identityToken: "token" });
  expect(await read("registry.example.com")).toBeUndefined();
  expect(await read("broken.example.com")).toBeUndefined();
  expect(await read("constructor")).toBeUndefined();
});

it.each(["", "[]", '{"auths":null}', '{"auths":{"a":5}}'])("has none in %j", async (text) => {
  const path = await configWith(text === "" ? "{}" : text);
  expect(await readRegistryCredentials(path, "a")).toBeUndefined();
  expect(await readRegistryCredentials(undefined, "a")).toBeUndefined();
});

it("says nothing of a file that it cannot read", async () => {
  const path = await configWith('{"auths": {"a": {"auth": s3cret}}}');
  const reading = readRegistryCredentials(path, "a");
  await expect(reading).rejects.toThrow(`cannot read ${path} (SLIPWAY_DOCKER_CONFIG): is not JSON`);
  await expect(readRegistryCredentials("/no/such/file", "a")).rejects.toThrow("ENOENT");
});
