import type { AdminSettings } from "../config/settings.ts";
import type { CreatedAdmin } from "../users/admin-service.ts";
import type { Demo } from "./demo.ts";

interface WelcomeInput {
  readonly accessUrl: string;
  /** Undefined when there were users before. */
  readonly admin: CreatedAdmin | undefined;
  readonly settings: AdminSettings;
  readonly demo: Demo | undefined;
}

/** What is printed once the server can be used: where it is, how to log in, what to type next. */
export function welcomeText({ accessUrl, admin, settings, demo }: WelcomeInput): string {
  const rows: [string, string][] = [["Server", accessUrl]];
  const email = admin?.email ?? settings.email;
  if (admin?.madePassword !== undefined) {
    rows.push(["Log in", `${email} with the password ${admin.madePassword} (shown this once)`]);
  } else {
    rows.push([
      "Log in",
      `as ${email}, with the password you ${admin === undefined ? "have" : "gave"}`,
    ]);
  }
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
