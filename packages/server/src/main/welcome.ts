import type { Demo } from "./demo.ts";

interface WelcomeInput {
  readonly accessUrl: string;
  readonly login: WelcomeLogin | undefined;
  readonly demo: Demo | undefined;
  /** Installs the command; shown until somebody has logged in with a password of their own. */
  readonly installCommand: string;
}

/** As whom to log in, and with which password. */
export interface WelcomeLogin {
  readonly email: string;
  readonly password: { readonly generated: string } | "configured" | "known";
}

/** What is printed once the server can be used: where it is, how to log in, what to type next. */
export function welcomeText({ accessUrl, login, demo, installCommand }: WelcomeInput): string {
  const rows: [string, string][] = [["Server", accessUrl]];
  if (login !== undefined) rows.push(["Log in", loginText(login)]);
  if (demo !== undefined) rows.push(["Workspace", `${demo.workspaceName} is ${demo.state}`]);
  const table = rows.map(([name, value]) => `  ${name.padEnd(10)} ${value}`).join("\n");
  const first = `slipway login ${accessUrl}`;
  const more =
    demo === undefined
      ? ["slipway templates init small-box", "slipway templates push small-box", "slipway create"]
      : [`slipway show ${demo.workspaceName}`, `slipway logs -f ${demo.workspaceName}`];
  const isNew = login !== undefined && login.password !== "known";
  const commands = [...(isNew ? [installCommand] : []), first, ...more];
  const next = commands.map((command) => `  ${command}`).join("\n");
  return `\nSlipway is running.\n\n${table}\n\nNext, in another terminal:\n\n${next}\n\nCtrl-C stops all of it.\n\n`;
}

function loginText({ email, password }: WelcomeLogin): string {
  if (password === "configured") return `as ${email}, with the password you gave`;
  if (password === "known") {
    return `as ${email}, with the password you have (lost it? slipway server reset-password)`;
  }
  return `${email} with the password ${password.generated} (shown this once)`;
}
