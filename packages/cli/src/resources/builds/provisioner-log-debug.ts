import type { SwitchFlag } from "../../command/flags.ts";
import type { Terminal } from "../../terminal/terminal.ts";

/** `--provisioner-log-debug` of commands that begin a build: accepted, because scripts written for `coder` pass it. */
export const provisionerLogDebugFlag = {
  kind: "switch",
  summary: "no effect: build logs are always complete",
  hidden: true,
} as const satisfies SwitchFlag;

/** Tells whoever passes the flag that it changes nothing. */
export function noteProvisionerLogDebug(
  { provisionerLogDebug }: { readonly provisionerLogDebug: boolean },
  { err }: Pick<Terminal, "err">,
): void {
  if (!provisionerLogDebug) return;
  err.line("--provisioner-log-debug has no effect: build logs always have all that drivers report");
}
