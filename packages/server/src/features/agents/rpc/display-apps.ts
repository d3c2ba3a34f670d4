import { RpcError } from "@slipway/rpc";
import { type DisplayAppName, displayApps } from "@slipway/template";
import { CreateSubAgentRequest_DisplayApp as DisplayApp } from "@slipway/wire";

const names: ReadonlyMap<number, DisplayAppName> = new Map([
  [DisplayApp.VSCODE, "vscode"],
  [DisplayApp.VSCODE_INSIDERS, "vscode_insiders"],
  [DisplayApp.WEB_TERMINAL, "web_terminal"],
  [DisplayApp.SSH_HELPER, "ssh_helper"],
  [DisplayApp.PORT_FORWARDING_HELPER, "port_forwarding_helper"],
]);

/**
 * Reads display apps by name, each once and in the order of the database. Throws `RpcError` for an unknown number.
 */
export function readDisplayApps(values: readonly number[]): readonly DisplayAppName[] {
  const chosen = new Set<DisplayAppName>();
  for (const [index, value] of values.entries()) {
    const name = names.get(value);
    if (name === undefined)
      throw new RpcError(`display_apps[${index}]: unknown display app ${value}`);
    chosen.add(name);
  }
  return displayApps.filter((name) => chosen.has(name));
}
