import { describe, expect, it } from "vitest";

import { flagOf, groupSettings } from "./setting-groups.ts";

const option = {
  description: "",
  value: "",
  default: "",
  value_source: "default" as const,
  secret: false,
};
const options = [
  { ...option, env: "SLIPWAY_MAX_TOKEN_DAYS", description: "days that an API token may live" },
  { ...option, env: "SLIPWAY_LOG_LEVEL", value: "debug", value_source: "given" as const },
  { ...option, env: "SLIPWAY_HTTP_ADDRESS" },
];

describe("settings", () => {
  it("are grouped, the limits last", () => {
    expect(groupSettings(options, "", false).map(({ name }) => name)).toEqual([
      "General",
      "Logging",
      "Limits",
    ]);
  });

  it.each([
    ["Docker", "SLIPWAY_DOCKER_HOST"],
    ["Kubernetes", "SLIPWAY_KUBERNETES"],
    ["Kubernetes", "SLIPWAY_KUBERNETES_NAMESPACE"],
    ["Kubernetes", "SLIPWAY_KUBERNETES_0_KUBECONFIG"],
    ["Terraform", "SLIPWAY_TERRAFORM"],
    ["Terraform", "SLIPWAY_TERRAFORM_CONFIG"],
  ])("are in the group %s if they are named like %s", (name, env) => {
    expect(groupSettings([{ ...option, env }], "", false)).toEqual([
      { name, options: [{ ...option, env }] },
    ]);
  });

  it("are found by variable, meaning and value", () => {
    for (const search of ["log_level", "DEBUG"]) {
      const [group] = groupSettings(options, search, false);
      expect(group?.options.map(({ env }) => env)).toEqual(["SLIPWAY_LOG_LEVEL"]);
    }
    expect(groupSettings(options, "token live", false)).toHaveLength(1);
    expect(groupSettings(options, "nothing", false)).toEqual([]);
  });

  it("are only those that were given, if asked", () => {
    expect(groupSettings(options, "", true).map(({ name }) => name)).toEqual(["Logging"]);
  });

  it("have a flag", () => {
    expect(flagOf("SLIPWAY_HTTP_ADDRESS")).toBe("--http-address");
  });
});
