import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { SessionFiles } from "./session-files.ts";
import { configDirectory, readServerUrl, readSettings } from "./settings.ts";

const noFlags = { url: undefined, token: undefined, configDir: undefined, org: undefined };

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-config-"));
  await new SessionFiles(directory).write({ url: "https://kept.example.com", token: "kept" });
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

it("names the organization by flag, then by variable", async () => {
  const organizationOf = async (org: string | undefined, CODER_ORGANIZATION?: string) =>
    (await readSettings({ ...noFlags, org }, { CODER_CONFIG_DIR: directory, CODER_ORGANIZATION }))
      .organization;
  expect(await organizationOf(undefined)).toBe("default");
  expect(await organizationOf(undefined, "lab")).toBe("lab");
  expect(await organizationOf("shop", "lab")).toBe("shop");
});

it("uses the stored session by default", async () => {
  const settings = await readSettings(noFlags, { SLIPWAY_CONFIG_DIR: directory });
  expect(settings).toMatchObject({
    url: "https://kept.example.com",
    token: "kept",
    givenToken: undefined,
  });
});

it("prefers variables to the stored session, and flags to variables", async () => {
  const environment = {
    CODER_CONFIG_DIR: directory,
    CODER_URL: "https://variable.example.com",
    CODER_SESSION_TOKEN: "v",
  };
  expect(await readSettings(noFlags, environment)).toMatchObject({
    url: "https://variable.example.com",
    token: "v",
  });
  const flags = {
    url: "https://flag.example.com/",
    token: "f",
    configDir: undefined,
    org: undefined,
  };
  expect(await readSettings(flags, environment)).toMatchObject({
    url: "https://flag.example.com",
    token: "f",
  });
});

it("never sends a stored token to another server", async () => {
  const flags = { ...noFlags, url: "https://other.example.com" };
  const settings = await readSettings(flags, { CODER_CONFIG_DIR: directory });
  expect(settings.token).toBeUndefined();
  const same = await readSettings(
    { ...noFlags, url: "kept.example.com/" },
    { CODER_CONFIG_DIR: directory },
  );
  expect(same.token).toBe("kept");
});

it("refuses an invalid address", async () => {
  const flags = { ...noFlags, url: "ftp://files" };
  await expect(readSettings(flags, { CODER_CONFIG_DIR: directory })).rejects.toThrow(
    '"ftp://files" is not a server address',
  );
});

it("finds the directory by flag, variable and XDG", () => {
  const environment = { XDG_CONFIG_HOME: "/x", CODER_CONFIG_DIR: "/c" };
  expect(configDirectory("/f", environment)).toBe("/f");
  expect(configDirectory(undefined, environment)).toBe("/c");
  expect(configDirectory(undefined, { XDG_CONFIG_HOME: "/x" })).toBe("/x/slipway");
  const home = { HOME: "/home/ada" };
  expect(configDirectory(undefined, home)).toBe("/home/ada/.config/slipway");
  expect(configDirectory(undefined, { ...home, XDG_CONFIG_HOME: "x" })).toBe(
    "/home/ada/.config/slipway",
  );
});

it.each([
  ["slipway.example.com", "https://slipway.example.com"],
  ["localhost:3000", "http://localhost:3000"],
  ["127.0.0.1:3000/", "http://127.0.0.1:3000"],
  ["[::1]:3000", "http://[::1]:3000"],
  ["localhost.example.com", "https://localhost.example.com"],
  [" http://a.example.com/base/ ", "http://a.example.com/base"],
])("reads %s as %s", (typed, url) => {
  expect(readServerUrl(typed)).toBe(url);
});

it.each(["", "ftp://a", "http://", "a b"])("refuses %j", (typed) => {
  expect(() => readServerUrl(typed)).toThrow("is not a server address");
});
