import type * as http from "node:http";
import type * as https from "node:https";

import { trustGivenAuthorities } from "./system-authorities.ts";

/**
 * Returns the module of Node.js for requests by HTTP or HTTPS. It is not imported: an import of `node:https` loads TLS,
 * 5 MB of memory, for those who never use it, and one from an ES module reads every export, one of which loads `fetch`.
 */
export function httpModule(isHttp: boolean): typeof http | typeof https {
  if (!isHttp) trustGivenAuthorities();
  return process.getBuiltinModule(isHttp ? "node:http" : "node:https");
}
