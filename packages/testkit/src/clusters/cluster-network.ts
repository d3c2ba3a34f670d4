import { runProgram } from "./run-program.ts";

/** The network that connects the pods of a cluster with each other and with this machine. */
export interface ClusterBridge {
  /** The name of its interface. */
  readonly name: string;
  /** The first three bytes of its addresses. */
  readonly prefix: string;
  /** The address of this machine. */
  readonly hostAddress: string;
  /** Distinguishes the clusters of this machine. */
  readonly index: number;
}

const maxBridges = 32;

const ip = (...args: readonly string[]): Promise<string> => runProgram("ip", args, "");

/** Opens the bridge of all pods with an address of this machine. `note` is told its name before there is more than that. */
export async function openBridge(note: (name: string) => Promise<void>): Promise<ClusterBridge> {
  const index = await addBridge();
  const name = nameOf(index);
  await note(name);
  const prefix = `10.${89 + index}.0`;
  const hostAddress = `${prefix}.1`;
  await ip("address", "add", `${hostAddress}/24`, "dev", name);
  await ip("link", "set", name, "up");
  await letPodsConnect(name);
  return { name, prefix, hostAddress, index };
}

/** Adds the first bridge that no other cluster has. */
async function addBridge(): Promise<number> {
  let problem: unknown;
  for (let index = 0; index < maxBridges; index += 1) {
    try {
      await ip("link", "add", nameOf(index), "type", "bridge");
      return index;
    } catch (error) {
      problem = error;
    }
  }
  throw new Error("no bridge can be added for a cluster", { cause: problem });
}

function nameOf(index: number): string {
  return `slipwayk${index}`;
}

/** Lets pods connect to each other on a machine whose Docker has forbidden to forward packets; without iptables none does. */
async function letPodsConnect(bridge: string): Promise<void> {
  const rule = ["FORWARD", "-i", bridge, "-o", bridge, "-j", "ACCEPT"];
  await runProgram("iptables", ["--wait", "-I", ...rule], "").catch(() => undefined);
}
