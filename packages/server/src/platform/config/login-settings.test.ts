import { expect, it } from "vitest";

import { ConfigError } from "./setting-source.ts";
import { readSettings, type Settings } from "./settings.ts";

function read(settings: Readonly<Record<string, string>>): Settings["logInProviders"] {
  const entries = Object.entries(settings).map(([key, value]) => [`SLIPWAY_LOGIN_${key}`, value]);
  return readSettings(Object.fromEntries(entries), false).logInProviders;
}

/** Returns the faults of invalid settings. */
function faults(settings: Readonly<Record<string, string>>): readonly string[] {
  try {
    read(settings);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error("the settings were accepted");
}

const oidc = {
  "0_ISSUER": "https://id.example.com/realms/acme",
  "0_CLIENT_ID": "slipway",
  "0_CLIENT_SECRET": "s3cret-s3cret",
};
const github = { "1_TYPE": "github", "1_CLIENT_ID": "id", "1_CLIENT_SECRET": "s3cret-s3cret" };

it("reads several providers with their defaults", () => {
  expect(read({ ...oidc, ...github })).toMatchObject([
    {
      id: "oidc",
      type: "oidc",
      issuer: "https://id.example.com/realms/acme",
      scopes: ["openid", "profile", "email"],
      signups: "invited",
      allowedDomains: [],
      claims: { username: "preferred_username", email: "email", name: "name", groups: "groups" },
      roleMapping: undefined,
      trustsEmail: false,
    },
    {
      id: "github",
      displayName: "GitHub",
      issuer: "https://github.com",
      scopes: ["read:user", "user:email", "read:org"],
      claims: { username: "login" },
    },
  ]);
});

it("reads the restrictions and the roles of a provider", () => {
  const [provider] = read({
    ...oidc,
    "0_SIGNUPS": "open",
    "0_ALLOWED_DOMAINS": "Example.com, corp.example.org",
    "0_ROLE_MAPPING": '{"CN=Admins,OU=x": "owner", "dev": ["template-admin", "auditor"]}',
    "0_REQUIRE_MAPPED_ROLE": "true",
  });
  expect(provider?.allowedDomains).toEqual(["example.com", "corp.example.org"]);
  expect([...(provider?.roleMapping ?? [])]).toEqual([
    ["CN=Admins,OU=x", ["owner"]],
    ["dev", ["template-admin", "auditor"]],
  ]);
  expect(provider).toMatchObject({ signups: "open", needsMappedRole: true });
});

it("reports all faults together, and no secret", () => {
  const found = faults({
    ...oidc,
    "0_ISSUER": "http://id.example.com",
    "0_CLIENT_SECRET": "line\nbreak",
    "0_SCOPES": "email",
    "0_ROLE_MAPPING": '{"dev": "king"}',
    "0_ALLOWED_ORGANIZATIONS": "acme",
    "0_SIGN_UPS": "open",
    ...github,
    "1_ALLOWED_TEAMS": "developers",
    "1_CLIENT_SECRET": "",
  }).map((problem) => problem.split(" ")[0]);
  expect(found.map((name) => name?.replace("SLIPWAY_LOGIN_", ""))).toEqual([
    "0_SIGN_UPS",
    "0_ISSUER",
    "0_CLIENT_SECRET",
    "0_SCOPES",
    "0_ALLOWED_ORGANIZATIONS",
    "0_ROLE_MAPPING",
    "1_CLIENT_SECRET",
    "1_ALLOWED_TEAMS",
  ]);
  expect(faults({ ...oidc, "0_CLIENT_SECRET": "line\nbreak" }).join()).not.toContain("break");
});

it.each([
  ["an id twice", { ...oidc, ...github, "1_ID": "oidc" }, "1_ID"],
  [
    "an issuer twice",
    { ...oidc, "1_ID": "b", "1_CLIENT_ID": "x", "1_ISSUER": oidc["0_ISSUER"] },
    "1_ISSUER",
  ],
  [
    "a role that must be mapped without a mapping",
    { ...oidc, "0_REQUIRE_MAPPED_ROLE": "true" },
    "0_REQUIRE",
  ],
  ["an issuer with a query", { ...oidc, "0_ISSUER": "https://id.example.com/?a=b" }, "0_ISSUER"],
  ["no issuer", { ...oidc, "0_ISSUER": "" }, "0_ISSUER"],
  [
    "a mapping that maps to nothing",
    { ...oidc, "0_ROLE_MAPPING": '{"dev": []}' },
    "0_ROLE_MAPPING",
  ],
])("refuses %s", (_name, settings, key) => {
  expect(faults(settings)).toEqual([expect.stringContaining(`SLIPWAY_LOGIN_${key}`)]);
});
