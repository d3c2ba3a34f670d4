import { describe, expect, it } from "vitest";

import { listVariables } from "./setting-variables.ts";
import { readSettings } from "./settings.ts";

/** Returns the variable of a configuration. */
function variableOf(name: string, source: Readonly<Record<string, string>>) {
  return readSettings(source, false).variables.find((variable) => variable.name === name);
}

describe("the variables of a configuration", () => {
  it("have their value and whether it was given", () => {
    const name = "SLIPWAY_LOG_LEVEL";
    expect(variableOf(name, { [name]: "warn" })).toMatchObject({ value: "warn", isGiven: true });
    expect(variableOf(name, {})).toMatchObject({ value: "", isGiven: false });
  });

  it("have the default and meaning of a setting", () => {
    expect(variableOf("SLIPWAY_HTTP_ADDRESS", {})).toMatchObject({
      fallback: "127.0.0.1:3000",
      summary: "address to listen on; port 0 picks a free one",
    });
    expect(variableOf("SLIPWAY_PROCESS_DRIVER", {})).toMatchObject({ fallback: "false" });
  });

  it("have the default and meaning of a limit", () => {
    expect(variableOf("SLIPWAY_MAX_TOKEN_DAYS", {})).toMatchObject({
      fallback: "36525",
      summary: "days that an API token may live",
    });
  });

  it.each([
    ["SLIPWAY_EXTERNAL_AUTH_0_DEVICE_FLOW", "let users log in by entering a code at the provider"],
    ["SLIPWAY_LOGIN_12_ISSUER", "issuer URL, or the address of a GitHub server"],
    ["SLIPWAY_KUBERNETES_3_CONTEXT", "context of the kubeconfig"],
  ])("have the meaning of %s, of which there are several", (name, summary) => {
    const given = { [name]: "x" };
    expect(listVariables(given, new Set(Object.keys(given)))).toMatchObject([{ name, summary }]);
  });

  it.each([
    ["SLIPWAY_SECRET_KEY", "0123456789abcdef0123456789abcdef"],
    ["SLIPWAY_ADMIN_PASSWORD", "hunter2-hunter2"],
    ["SLIPWAY_POSTGRES_URL", "postgres://ann:hunter2@db/slipway"],
  ])("keep the secret of %s", (name, value) => {
    const source = { [name]: value };
    expect(variableOf(name, source)).toMatchObject({ value: "", isGiven: true, isSecret: true });
    expect(JSON.stringify(readSettings(source, false).variables)).not.toContain(value);
  });

  it("keep the password of an address", () => {
    const name = "SLIPWAY_ACCESS_URL";
    expect(variableOf(name, { [name]: "https://ann:hunter2@slipway.example" })?.value).toBe(
      "https://***@slipway.example",
    );
  });
});
