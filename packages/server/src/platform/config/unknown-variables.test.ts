import { expect, it } from "vitest";

import { readSettings } from "./settings.ts";
import { recordReads, unknownVariables } from "./unknown-variables.ts";

function unknown(environment: Readonly<Record<string, string>>): readonly string[] {
  const recorded = recordReads(environment);
  readSettings(recorded.source, false);
  return unknownVariables(recorded);
}

it.each([
  ["SLIPWAY_HTTP_ADRESS", "; did you mean SLIPWAY_HTTP_ADDRESS?"],
  ["SLIPWAY_MAX_WORKSPACE_PER_USER", "; did you mean SLIPWAY_MAX_WORKSPACES_PER_USER?"],
  ["SLIPWAY_POSTGRESS_URL", "; did you mean SLIPWAY_POSTGRES_URL?"],
  ["SLIPWAY_EXTERNAL_AUTH_GITHUB", ""],
])("names %s, which no setting is called", (name, meant) => {
  expect(unknown({ [name]: "x" })).toEqual([`unknown variable ${name}${meant}`]);
});

it("names no variable that is a setting, or another program's", () => {
  expect(
    unknown({
      SLIPWAY_HTTP_ADDRESS: "127.0.0.1:1",
      SLIPWAY_MAX_WORKSPACES_PER_USER: "3",
      SLIPWAY_EXTERNAL_AUTH_0_ID: "github",
      SLIPWAY_EXTERNAL_AUTH_0_TYPE: "github",
      SLIPWAY_EXTERNAL_AUTH_0_CLIENT_ID: "x",
      SLIPWAY_EXTERNAL_AUTH_0_CLIENT_SECRET: "y",
      SLIPWAY_EXTERNAL_AUTH_0_DISPLAY_ICON: "",
      SLIPWAY_URL: "http://x",
      SLIPWAY_SERVICE_HOST: "10.0.0.1",
      SLIPWAY_PORT_80_TCP: "tcp://10.0.0.1:80",
      CODER_HTTP_ADRESS: "x",
    }),
  ).toEqual([]);
});

it("hands on the settings unchanged", () => {
  const environment = { SLIPWAY_HTTP_ADDRESS: "127.0.0.1:1", HOME: "/home/ada" };
  expect(readSettings(recordReads(environment).source, false)).toEqual(
    readSettings(environment, false),
  );
});
