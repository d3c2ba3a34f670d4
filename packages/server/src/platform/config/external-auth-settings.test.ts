import { expect, it } from "vitest";

import { removeSecrets } from "./secret-variables.ts";
import { ConfigError } from "./setting-source.ts";
import { readSettings, type Settings } from "./settings.ts";

function read(settings: Readonly<Record<string, string>>): Settings["externalAuth"] {
  const source = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [
      key.includes("EXTERNAL_AUTH") ? key : `SLIPWAY_EXTERNAL_AUTH_${key}`,
      value,
    ]),
  );
  return readSettings(source, false).externalAuth;
}

/** Returns the faults of invalid settings. */
function faults(settings: Readonly<Record<string, string>>): string {
  try {
    read(settings);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("the settings were accepted");
}

const client = { "0_CLIENT_ID": "id", "0_CLIENT_SECRET": "s3cret-s3cret" };
const github = { "0_TYPE": "github", ...client };

it("knows the addresses of GitHub", () => {
  expect(read(github)).toMatchObject([
    {
      id: "github",
      type: "github",
      displayName: "GitHub",
      clientAuth: "post",
      authUrl: "https://github.com/login/oauth/authorize",
      tokenUrl: "https://github.com/login/oauth/access_token",
      validateUrl: "https://api.github.com/user",
      revokeUrl: "https://api.github.com/applications/id/grant",
      deviceCodeUrl: undefined,
      scopes: ["repo", "workflow"],
      regex: String.raw`^(https?://)?github\.com(/.*)?$`,
      mayRefresh: true,
    },
  ]);
});

it("derives the addresses of a host of the operator's own", () => {
  const authUrl = "https://git.example.com:8443/login/oauth/authorize";
  expect(read({ ...github, "0_AUTH_URL": authUrl })).toMatchObject([
    {
      tokenUrl: "https://git.example.com:8443/login/oauth/access_token",
      validateUrl: "https://git.example.com:8443/api/v3/user",
      revokeUrl: "https://git.example.com:8443/api/v3/applications/id/grant",
      regex: String.raw`^(https?://)?git\.example\.com:8443(/.*)?$`,
    },
  ]);
});

it("reads several in the order of their numbers, and the names of Coder", () => {
  const providers = read({
    CODER_EXTERNAL_AUTH_10_TYPE: "gitlab",
    CODER_EXTERNAL_AUTH_10_CLIENT_ID: "ten",
    SLIPWAY_EXTERNAL_AUTH_10_CLIENT_ID: "ours",
    CODER_EXTERNAL_AUTH_10_CLIENT_SECRET: "x",
    CODER_EXTERNAL_AUTH_10_MCP_URL: "https://ignored.test",
    "2_TYPE": "bitbucket-cloud",
    "2_ID": "bb",
    "2_CLIENT_ID": "two",
    "2_CLIENT_SECRET": "x",
    "2_NO_REFRESH": "true",
    "2_SCOPES": "a, b c",
  });
  expect(providers).toMatchObject([
    { id: "bb", clientAuth: "basic", mayRefresh: false, scopes: ["a", "b", "c"] },
    { id: "gitlab", clientId: "ours", scopes: ["write_repository", "read_api"] },
  ]);
});

it("needs no secret for the device flow", () => {
  expect(read({ "0_TYPE": "github", "0_CLIENT_ID": "id", "0_DEVICE_FLOW": "true" })).toMatchObject([
    {
      authUrl: undefined,
      deviceCodeUrl: "https://github.com/login/device/code",
      // GitHub requires the secret for it.
      revokeUrl: undefined,
    },
  ]);
});

it.each([
  [{ "0_CLIENT_ID": "id" }, /_0_TYPE must be .*github, gitlab/],
  [{ "0_TYPE": "git hub", ...client }, /_0_TYPE must be .*found "git hub"/],
  [{ ...github, "0_ID": "a/b" }, /_0_ID must be a name/],
  [{ "0_TYPE": "github" }, /_0_CLIENT_ID must be the id of a client, found ""/],
  [{ "0_TYPE": "github", "0_CLIENT_ID": "id" }, /_0_CLIENT_SECRET must be/],
  [{ "0_TYPE": "own", ...client }, /_0_AUTH_URL must be [^]*_0_TOKEN_URL must be/],
  [{ ...github, "0_AUTH_URL": "ftp://x" }, /_0_AUTH_URL must be a URL/],
  [{ ...github, "0_TOKEN_URL": "https://a:b@x/" }, /_0_TOKEN_URL must be a URL.*\*\*\*@x/],
  [{ ...github, "0_NO_REFRESH": "yes" }, /_0_NO_REFRESH must be true or false/],
  [{ ...github, "0_SCOPES": "é" }, /_0_SCOPES must be/],
  [{ ...github, "0_REGEX": "(a" }, /_0_REGEX must be a regular expression of RE2/],
  [{ ...github, "0_REGEX": "(?=a)" }, /no look-around/],
  [{ ...github, "0_REGEX": "(a{1,1000}){1,1000}" }, /_0_REGEX must be/],
  [{ ...github, "0_CLIENT_SECERT": "x" }, /_0_CLIENT_SECERT must be one of the settings/],
  [{ "0_TYPE": "x", "0_CLIENT_ID": "x", "0_DEVICE_FLOW": "true" }, /_0_DEVICE_CODE_URL must be/],
  [
    { ...github, "1_TYPE": "github", "1_CLIENT_ID": "id", "1_CLIENT_SECRET": "x" },
    /_1_ID must be an id that no other provider has/,
  ],
])("refuses wrong settings %#, by name", (settings, fault) => {
  expect(faults(settings)).toMatch(fault);
});

it("refuses more providers than the limit", () => {
  const many = Array.from({ length: 33 }, (_, number) => [`${number}_TYPE`, `t${number}`]);
  expect(faults(Object.fromEntries(many))).toContain("at most 32 providers");
});

it("never shows a secret, nor leaves it to child processes", () => {
  expect(faults({ ...github, "0_CLIENT_SECRET": "s3cret\u0000" })).not.toContain("s3cret");
  const environment = { CODER_EXTERNAL_AUTH_3_CLIENT_SECRET: "x", PATH: "/bin" };
  removeSecrets(environment);
  expect(environment).toEqual({ PATH: "/bin" });
});
