import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { TcpProxy } from "../servers/tcp-proxy.ts";
import { openDoor } from "./door.ts";
import { Gateway } from "./gateway.ts";
import type { Layout } from "./layout.ts";
import { createNamer, sweepLeftovers } from "./leftovers.ts";
import { Namespace } from "./namespace.ts";
import { Router } from "./router.ts";
import { AddressBlock } from "./subnets.ts";
import type { Uplink } from "./uplink.ts";

/** The addresses of processes on the internet. */
export const internetAddresses = ["192.0.2.1", "192.0.2.2"] as const;

/** A host, whose namespace runs commands like a separate machine. */
export interface Host {
  readonly namespace: Namespace;
  readonly uplink: Uplink;
}

/** Networks of namespaces: the internet, and the hosts and routers of a layout. The opener disposes of it. */
export class Laboratory implements AsyncDisposable {
  /** The internet, which routes packets and also runs servers. */
  readonly internet: Namespace;
  readonly #opened: AsyncDisposableStack;
  readonly #directory: string;
  readonly #hosts: ReadonlyMap<string, Host>;
  readonly #routers: ReadonlyMap<string, Router>;
  #doors = 0;

  private constructor(parts: LaboratoryParts) {
    this.internet = parts.internet;
    this.#opened = parts.opened;
    this.#directory = parts.directory;
    this.#hosts = parts.hosts;
    this.#routers = parts.routers;
  }

  static async open(layout: Layout): Promise<Laboratory> {
    await using opening = new AsyncDisposableStack();
    await sweepLeftovers();
    const nameOf = createNamer();
    const openNamespace = async (name: string): Promise<Namespace> =>
      opening.use(await Namespace.open(nameOf(name)));
    const directory = await mkdtemp(join(tmpdir(), "slipway-lab-"));
    opening.defer(() => rm(directory, { recursive: true }));
    const internet = await openInternet(openNamespace);
    const { routers, gateways } = await openRouters(layout, internet, openNamespace);
    const hosts = new Map<string, Host>();
    for (const [name, plan] of Object.entries(layout.hosts)) {
      const namespace = await openNamespace(name);
      const gateway = plan.behind === undefined ? internet : find(gateways, plan.behind);
      hosts.set(name, { namespace, uplink: await gateway.attach(namespace, plan) });
    }
    const opened = opening.move();
    return new Laboratory({ internet: internet.namespace, opened, directory, hosts, routers });
  }

  host(name: string): Host {
    return find(this.#hosts, name);
  }

  router(name: string): Router {
    return find(this.#routers, name);
  }

  /** Lets this process reach a port of the internet's first address through the proxy's port. */
  async openDoor(port: number): Promise<TcpProxy> {
    this.#doors += 1;
    const path = join(this.#directory, `door-${String(this.#doors)}`);
    const [address] = internetAddresses;
    return this.#opened.use(await openDoor({ namespace: this.internet, path, address, port }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

interface LaboratoryParts {
  readonly internet: Namespace;
  readonly opened: AsyncDisposableStack;
  readonly directory: string;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly routers: ReadonlyMap<string, Router>;
}

type OpenNamespace = (name: string) => Promise<Namespace>;

/** Opens a laboratory; the process must be root. */
export function openLaboratory(layout: Layout): Promise<Laboratory> {
  return Laboratory.open(layout);
}

async function openInternet(openNamespace: OpenNamespace): Promise<Gateway> {
  const namespace = await openNamespace("internet");
  const addresses = internetAddresses.map((one) => `ip address add ${one}/32 dev lo`);
  await namespace.shell([...addresses, "echo 1 > /proc/sys/net/ipv4/ip_forward"].join("\n"));
  return new Gateway(namespace, new AddressBlock("198.51.100"), undefined);
}

async function openRouters(layout: Layout, internet: Gateway, openNamespace: OpenNamespace) {
  const routers = new Map<string, Router>();
  const gateways = new Map<string, Gateway>();
  for (const [name, plan] of Object.entries(layout.routers ?? {})) {
    const namespace = await openNamespace(name);
    const uplink = await internet.attach(namespace, plan);
    routers.set(name, await Router.open(namespace, uplink, plan));
    const number = routers.size;
    const block = new AddressBlock(
      plan.nat === undefined ? `198.18.${String(number)}` : `192.168.${String(number)}`,
    );
    gateways.set(name, new Gateway(namespace, block, plan.nat === undefined ? uplink : undefined));
  }
  return { routers, gateways };
}

/** Returns the entry of this name. Throws when there is none. */
function find<T>(named: ReadonlyMap<string, T>, name: string): T {
  const found = named.get(name);
  if (found === undefined) {
    throw new Error(
      `found no ${name} in the layout, wanted one of ${[...named.keys()].join(", ")}`,
    );
  }
  return found;
}
