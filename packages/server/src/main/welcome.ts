import { fileURLToPath } from "node:url";

import { cloneDirectory } from "../platform/clone-directory.ts";
import type { Demo } from "./demo.ts";

interface WelcomeInput {
  readonly accessUrl: string;
  readonly login: WelcomeLogin | undefined;
  readonly demo: Demo | undefined;
  /** The command that installs `slipway`; shown until someone has logged in with their own password. */
  readonly installCommand: string;
  /** True if there is a template to create workspaces from. */
  readonly hasTemplates: boolean;
  /** True if Docker or Podman answers. */
  readonly hasDocker: boolean;
}

/** The username and password to log in with. */
export interface WelcomeLogin {
  readonly email: string;
  readonly password: { readonly generated: string } | "configured" | "known";
}

/** An example that every server accepts, whatever its settings. Four levels up from `src` and `dist` alike. */
const firstTemplate = new URL("examples/external.slipway.yaml", cloneDirectory);

const containerCommands =
  "slipway templates init --example docker box && slipway templates push box";

/** Returns the text printed once the server is ready: its address, how to log in, what to type next. */
export function welcomeText(input: WelcomeInput): string {
  const { accessUrl, login, demo, installCommand, hasDocker } = input;
  const rows: [string, string][] = [["Server", accessUrl]];
  if (login !== undefined) rows.push(["Log in", loginText(login)]);
  if (demo !== undefined) rows.push(["Workspace", `${demo.workspaceName} is ${demo.state}`]);
  if (hasDocker)
    rows.push(["Docker", `is there for workspaces in containers: ${containerCommands}`]);
  const table = rows.map(([name, value]) => `  ${name.padEnd(10)} ${value}`).join("\n");
  const isNew = login !== undefined && login.password !== "known";
  const first = [...(isNew ? [installCommand] : []), `slipway login ${accessUrl}`];
  const next = [...first, ...nextCommands(input)].map((command) => `  ${command}`).join("\n");
  return `\nSlipway is running.\n\n${table}\n\nNext, in another terminal:\n\n${next}\n\nCtrl-C stops all of it.\n\n`;
}

function nextCommands({ demo, hasTemplates }: WelcomeInput): readonly string[] {
  if (demo !== undefined) {
    const { workspaceName } = demo;
    return [`slipway show ${workspaceName}`, `slipway logs -f ${workspaceName}`];
  }
  if (hasTemplates) return ["slipway create"];
  // The other terminal may be in another directory.
  const push = `slipway templates push ${fileURLToPath(firstTemplate)}`;
  return [push, "slipway create mine --template external", "slipway show mine"];
}

function loginText({ email, password }: WelcomeLogin): string {
  if (password === "configured") return `as ${email}, with the password you gave`;
  if (password === "known") {
    return `as ${email}, with the password you have (lost it? slipway server reset-password)`;
  }
  return `${email} with the password ${password.generated} (shown this once)`;
}
