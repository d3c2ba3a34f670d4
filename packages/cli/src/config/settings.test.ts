import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { SessionFiles } from "@slipway/sdk/session";
import { afterEach, beforeEach, expect, it } from "vitest";

import { readSettings } from "./settings.ts";

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
