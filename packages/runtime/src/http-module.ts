import type * as http from "node:http";
import type { Agent, ProxyEnv } from "node:http";
import type * as https from "node:https";

import { trustGivenAuthorities } from "./system-authorities.ts";

/**
 * Returns the module of Node.js for requests over HTTP or HTTPS. It is not imported: an import of `node:https` loads
 * TLS, 5 MB of memory, for those who never use it, and one from an ES module reads every export, one of which loads
 * `fetch`.
 */
export function httpModule(isHttp: boolean): typeof http | typeof https {
  if (!isHttp) trustGivenAuthorities();
  return process.getBuiltinModule(isHttp ? "node:http" : "node:https");
}

/**
 * Returns an agent for requests through the proxy of the environment, if Node.js was started to use one
 * (`NODE_USE_ENV_PROXY`); false if requests go directly.
 */
export function proxyAgent(isHttp: boolean): Agent | false {
  const { Agent: NodeAgent, globalAgent } = httpModule(isHttp);
  const proxyEnv = proxyEnvOf(globalAgent);
  return proxyEnv === undefined ? false : new NodeAgent({ proxyEnv });
}

/** The published types of an agent lack its options. */
function proxyEnvOf(agent: Agent): ProxyEnv | undefined {
  const options: unknown = Reflect.get(agent, "options");
  return typeof options === "object" && options !== null
    ? Reflect.get(options, "proxyEnv")
    : undefined;
}
