import type { Agent, ProxyEnv } from "node:http";

import { httpModule } from "./http-module.ts";

/**
 * Returns an agent for requests through the proxy of the environment, where Node.js was started to use one
 * (`NODE_USE_ENV_PROXY`); false where requests go directly.
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
