import { ImpairedLink } from "./impaired-link.ts";
import type { Impairment, UplinkPlan } from "./layout.ts";
import type { Namespace } from "./namespace.ts";
import type { Subnet } from "./subnets.ts";

/** The name of the device through which a host or a router sends to its gateway. */
export const uplinkDevice = "uplink";
const defaultMtu = 1_500;
/** The number of packets that a device queues while a busy machine holds up its link. */
const deviceQueuePackets = 10_000;

interface UplinkOptions {
  readonly host: Namespace;
  readonly gateway: Namespace;
  /** The name of the gateway's device. */
  readonly gatewayDevice: string;
  readonly subnet: Subnet;
  readonly plan: UplinkPlan;
}

/**
 * The link of a host or a router to its gateway, through which everything beyond is reached.
 *
 *   up ──cut──► down ──restore──► up
 */
export class Uplink {
  readonly #options: UplinkOptions;
  readonly #link: ImpairedLink | undefined;
  readonly #networks: string[] = [];
  #address = "";

  private constructor(options: UplinkOptions, link: ImpairedLink | undefined) {
    this.#options = options;
    this.#link = link;
  }

  static async open(options: UplinkOptions): Promise<Uplink> {
    const { host, gateway, gatewayDevice, subnet, plan } = options;
    const link = await connect(options);
    const mtu = String(plan.mtu ?? defaultMtu);
    const queue = String(deviceQueuePackets);
    await gateway.shell(
      `ip address add ${subnet.gateway}/${String(subnet.bits)} dev ${gatewayDevice}
       ip link set ${gatewayDevice} mtu ${mtu} txqueuelen ${queue} up`,
    );
    await host.shell(`ip link set ${uplinkDevice} mtu ${mtu} txqueuelen ${queue} up`);
    const uplink = new Uplink(options, link);
    await uplink.changeAddress();
    return uplink;
  }

  get address(): string {
    return this.#address;
  }

  /** Takes the link down. The host loses its carrier, except on an impaired link, where it notices nothing. */
  async cut(): Promise<void> {
    const { gateway, gatewayDevice } = this.#options;
    await gateway.shell(`ip link set ${gatewayDevice} down`);
  }

  async restore(): Promise<void> {
    const { gateway, gatewayDevice } = this.#options;
    await gateway.shell(`ip link set ${gatewayDevice} up`);
    await this.#routeNetworks();
  }

  /** Changes the address and resolves to the new one. Packets to the old one are lost. */
  async changeAddress(): Promise<string> {
    const { host, subnet } = this.#options;
    const address = subnet.nextHost();
    await host.shell(
      `ip address flush dev ${uplinkDevice}
       ip address add ${address}/${String(subnet.bits)} dev ${uplinkDevice}
       ip route add default via ${subnet.gateway}`,
    );
    this.#address = address;
    await this.#routeNetworks();
    return address;
  }

  /** Changes the faults of a link that was opened with faults; packets in transit are lost. */
  async impair(impairment: Impairment): Promise<void> {
    if (this.#link === undefined) throw new Error("link has no impairment");
    await this.#link.impair(impairment);
  }

  /** Routes the networks behind a router to it. */
  async route(network: string): Promise<void> {
    this.#networks.push(network);
    await this.#routeNetworks();
  }

  async #routeNetworks(): Promise<void> {
    const { gateway } = this.#options;
    const routes = this.#networks.map((one) => `ip route replace ${one} via ${this.#address}`);
    if (routes.length > 0) await gateway.shell(routes.join("\n"));
  }
}

async function connect(options: UplinkOptions): Promise<ImpairedLink | undefined> {
  const { host, gateway, gatewayDevice, plan } = options;
  if (plan.impairment !== undefined) {
    return ImpairedLink.open(
      { namespace: host, device: uplinkDevice },
      { namespace: gateway, device: gatewayDevice },
      plan.impairment,
    );
  }
  await host.shell(
    `ip link add ${uplinkDevice} type veth peer name ${gatewayDevice} netns ${gateway.name}`,
  );
  return undefined;
}
