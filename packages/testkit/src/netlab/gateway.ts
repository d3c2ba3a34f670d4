import type { UplinkPlan } from "./layout.ts";
import type { Namespace } from "./namespace.ts";
import type { AddressBlock } from "./subnets.ts";
import { Uplink } from "./uplink.ts";

/** An attachment point of hosts and routers: the internet, or the inner side of a router. */
export class Gateway {
  readonly namespace: Namespace;
  readonly #block: AddressBlock;
  readonly #uplink: Uplink | undefined;
  #devices = 0;

  /** `uplink` is that of a router whose hosts have public addresses, so that these are routed to it. */
  constructor(namespace: Namespace, block: AddressBlock, uplink: Uplink | undefined) {
    this.namespace = namespace;
    this.#block = block;
    this.#uplink = uplink;
  }

  async attach(host: Namespace, plan: UplinkPlan): Promise<Uplink> {
    this.#devices += 1;
    const gatewayDevice = `down${String(this.#devices)}`;
    const subnet = this.#block.take();
    await this.#uplink?.route(subnet.network);
    return Uplink.open({ host, gateway: this.namespace, gatewayDevice, subnet, plan });
  }
}
