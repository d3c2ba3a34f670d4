import type { Demo } from "./demo.ts";

interface WelcomeInput {
  readonly accessUrl: string;
  readonly login: WelcomeLogin | undefined;
  readonly demo: Demo | undefined;
}

/** As whom to log in, and with which password. */
export interface WelcomeLogin {
  readonly email: string;
  readonly password: { readonly generated: string } | "configured" | "known";
}

/** What is printed once the server can be used: where it is, how to log in, what to type next. */
export function welcomeText({ accessUrl, login, demo }: WelcomeInput): string {
  const rows: [string, string][] = [["Server", accessUrl]];
  if (login !== undefined) rows.push(["Log in", loginText(login)]);
  if (demo !== undefined) rows.push(["Workspace", `${demo.workspaceName} is ${demo.state}`]);
  const table = rows.map(([name, value]) => `  ${name.padEnd(10)} ${value}`).join("\n");
  const workspace = demo?.workspaceName ?? "NAME";
  const commands = [
    `slipway login ${accessUrl}`,
    demo === undefined ? "slipway templates push examples" : `slipway show ${workspace}`,
    demo === undefined ? "slipway create" : `slipway logs -f ${workspace}`,
  ];
  const next = commands.map((command) => `  npx ${command}`).join("\n");
  return `\nSlipway is running.\n\n${table}\n\nNext, in another terminal:\n\n${next}\n\nCtrl-C stops all of it.\n\n`;
}

function loginText({ email, password }: WelcomeLogin): string {
  if (password === "configured") return `as ${email}, with the password you gave`;
  if (password === "known") {
    return `as ${email}, with the password you have (lost it? slipway server reset-password)`;
  }
  return `${email} with the password ${password.generated} (shown this once)`;
}
