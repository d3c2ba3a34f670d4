import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { testAdmin } from "@slipway/testkit";
import { expect, it, onTestFinished } from "vitest";

import { openCommandServer } from "./support/command-server.ts";

const run = promisify(execFile);
const packageDirectory = fileURLToPath(new URL("..", import.meta.url));

it("installs from the clone without a registry, and works from anywhere with an empty home", async () => {
  const root = await mkdtemp(join(tmpdir(), "slipway-install-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await using commandServer = await openCommandServer();
  const home = join(root, "home");
  await mkdir(home);
  const env = {
    HOME: home,
    PATH: `${join(root, "bin")}:${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
    // No registry listens there: a request to it would fail.
    npm_config_registry: "http://127.0.0.1:9",
    npm_config_prefix: root,
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
  };
  const options = { env, cwd: home };
  await run("npm", ["install", "--global", packageDirectory], options);
  const slipway = async (...words: string[]): Promise<string> =>
    (await run("slipway", words, options)).stdout;
  expect(await slipway("--version")).toMatch(/^slipway v\d/);
  const { email, password } = testAdmin;
  await slipway("login", commandServer.server.url, "--email", email, "--password", password);
  expect(await slipway("whoami")).toContain(email);
  expect(JSON.parse(await slipway("list", "-o", "json"))).toEqual([]);
});
