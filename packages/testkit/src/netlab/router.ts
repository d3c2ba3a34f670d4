import { blockChain, firewallRules, interceptChain } from "./firewall.ts";
import { LabProgram } from "./lab-program.ts";
import type { RouterPlan } from "./layout.ts";
import type { Namespace } from "./namespace.ts";
import type { Uplink } from "./uplink.ts";

const middlebox = new URL("./middlebox-program.ts", import.meta.url);

/** A router in front of hosts. */
export class Router {
  readonly namespace: Namespace;
  /** The link toward the internet. */
  readonly uplink: Uplink;

  private constructor(namespace: Namespace, uplink: Uplink) {
    this.namespace = namespace;
    this.uplink = uplink;
  }

  static async open(namespace: Namespace, uplink: Uplink, plan: RouterPlan): Promise<Router> {
    const router = new Router(namespace, uplink);
    await router.#filter(firewallRules(plan));
    if (plan.udp === "blocked") await router.blockUdp();
    await namespace.shell("echo 1 > /proc/sys/net/ipv4/ip_forward");
    return router;
  }

  /**
   * Puts an HTTP proxy in the path of connections to an address and a port: it passes requests and WebSockets on, and
   * answers other upgrades, DERP's included, with 403.
   */
  async interceptHttp(address: string, port: number): Promise<void> {
    const { namespace } = this;
    const args = [address, String(port)];
    const { greeting } = await LabProgram.start({ namespace, source: middlebox, args });
    const rule = `ip daddr ${address} tcp dport ${String(port)} redirect to :${String(greeting)}`;
    await this.#filter(`add rule ${interceptChain} ${rule}`);
  }

  /** Drops UDP silently from now on. */
  async blockUdp(): Promise<void> {
    await this.#filter(`add rule ${blockChain} meta l4proto udp drop`);
  }

  /** Lets UDP pass again. */
  async allowUdp(): Promise<void> {
    await this.#filter(`flush chain ${blockChain}`);
  }

  async #filter(rules: string): Promise<void> {
    await this.namespace.run("nft", ["-f", "-"], { input: `${rules}\n` });
  }
}
