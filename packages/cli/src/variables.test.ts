import { expect, it } from "vitest";

import { variablesOf } from "./command/definition.ts";
import { flagName } from "./command/flags.ts";
import { command as agentCommand } from "./commands/agent.ts";
import { command as serverCommand } from "./commands/server.ts";

it("passes a server's flags under the names of its variables", () => {
  expect(variablesOf(serverCommand, { httpAddress: "127.0.0.1:0", demo: true })).toEqual({
    SLIPWAY_HTTP_ADDRESS: "127.0.0.1:0",
    SLIPWAY_ACCESS_URL: undefined,
    SLIPWAY_STUN_ADDRESS: undefined,
    SLIPWAY_DATA_DIR: undefined,
    SLIPWAY_POSTGRES_URL: undefined,
    SLIPWAY_TRUSTED_PROXIES: undefined,
    SLIPWAY_ADMIN_USERNAME: undefined,
    SLIPWAY_ADMIN_EMAIL: undefined,
    SLIPWAY_ADMIN_PASSWORD: undefined,
    SLIPWAY_DASHBOARD: undefined,
    SLIPWAY_PROCESS_DRIVER: undefined,
    SLIPWAY_PROCESS_UIDS: undefined,
    SLIPWAY_SECRET_KEY: undefined,
    SLIPWAY_AWS_CERTIFICATES: undefined,
    SLIPWAY_AZURE_CERTIFICATES: undefined,
    SLIPWAY_GOOGLE_KEYS_URL: undefined,
    SLIPWAY_GOOGLE_IAP_KEYS_URL: undefined,
    SLIPWAY_LOG_LEVEL: undefined,
    SLIPWAY_LOG_FORMAT: undefined,
  });
});

it("names a server's flags after its variables", () => {
  for (const [key, flag] of Object.entries(serverCommand.flags)) {
    const variable = "variable" in flag ? flag.variable : "SLIPWAY_DEMO";
    expect(flagName(key)).toBe(
      `--${variable.replace("SLIPWAY_", "").toLowerCase().replaceAll("_", "-")}`,
    );
  }
});

it("passes an agent's flags under the names of its variables", () => {
  const flags = { agentUrl: "http://x", agentToken: "t", auth: "token", agentName: "main" };
  expect(variablesOf(agentCommand, flags)).toMatchObject({
    CODER_AGENT_URL: "http://x",
    CODER_AGENT_TOKEN: "t",
    CODER_AGENT_AUTH: "token",
    CODER_AGENT_NAME: "main",
  });
});
