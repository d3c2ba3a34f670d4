import { writeSync } from "node:fs";

import { openLaboratory } from "@slipway/testkit/netlab";

/* Opens a laboratory, prints the names of its namespaces, and is killed while a process runs in one of them. */

const lab = await openLaboratory({ hosts: { host: { impairment: { rttMs: 1, lossRate: 0 } } } });
const { namespace } = lab.host("host");
namespace.spawn("sleep", ["1000"], { stdio: "ignore", detached: true });
writeSync(1, `${lab.internet.name}\n${namespace.name}\n`);
process.kill(process.pid, "SIGKILL");
