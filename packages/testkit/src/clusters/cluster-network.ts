import { runProgram } from "./run-program.ts";

/** The network interface that connects pods with each other and with this machine. */
export const bridge = "slipwayk0";

/** Opens the bridge of all pods with an address of this machine. */
export async function openBridge(address: string, opened: AsyncDisposableStack): Promise<void> {
  const ip = (...args: readonly string[]): Promise<string> => runProgram("ip", args, "");
  await ip("link", "delete", bridge).catch(() => undefined);
  await ip("link", "add", bridge, "type", "bridge");
  opened.defer(async () => void (await ip("link", "delete", bridge)));
  await ip("address", "add", `${address}/24`, "dev", bridge);
  await ip("link", "set", bridge, "up");
  await letPodsConnect(opened);
}

/** Lets pods connect to each other on a machine whose Docker has forbidden to forward packets; without iptables none does. */
async function letPodsConnect(opened: AsyncDisposableStack): Promise<void> {
  const rule = ["FORWARD", "-i", bridge, "-o", bridge, "-j", "ACCEPT"];
  const change = (action: string): Promise<boolean> =>
    runProgram("iptables", ["--wait", action, ...rule], "").then(
      () => true,
      () => false,
    );
  // That of a run that was killed.
  await change("-D");
  if (await change("-I")) opened.defer(async () => void (await change("-D")));
}
