import { describe, expect, it } from "vitest";

import { welcomeText } from "./welcome.ts";

const input = {
  accessUrl: "http://127.0.0.1:3000",
  installCommand: "npm install --global /srv/slipway/packages/cli",
  demo: undefined,
};
const email = "admin@localhost";

describe("welcomeText", () => {
  it("begins with how to install the command when the server is new", () => {
    const login = { email, password: { generated: "secret" } };
    const demo = { workspaceName: "demo", state: "running" } as const;
    expect(welcomeText({ ...input, login, demo })).toContain(
      "Next, in another terminal:\n\n  npm install --global /srv/slipway/packages/cli\n" +
        "  slipway login http://127.0.0.1:3000\n  slipway show demo\n  slipway logs -f demo\n",
    );
  });

  it("leads to a first workspace where there is no demonstration", () => {
    const text = welcomeText({ ...input, login: { email, password: "known" } });
    expect(text).toContain(
      "\n\n  slipway login http://127.0.0.1:3000\n  slipway templates init small-box\n" +
        "  slipway templates push small-box\n  slipway create\n",
    );
    expect(text).not.toMatch(/npx|npm/);
  });
});
