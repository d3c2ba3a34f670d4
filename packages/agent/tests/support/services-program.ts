/** A program that serves an agent's services on ports of the loopback interface, and prints those as JSON. */
import { createServer } from "node:net";

import { WorkspaceServices } from "../../src/services.ts";
import { openCommandHost, shellCommand } from "./command-host.ts";
import { serviceOptions } from "./service-options.ts";

const services = new WorkspaceServices({
  ...serviceOptions,
  prepare: async (text, { requested = {}, extra = {} }) => {
    const command = shellCommand(text);
    const variables = Object.entries({ ...requested, TERM: extra["TERM"] ?? "" });
    const given = variables.flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    );
    return { ...command, environment: { ...command.environment, ...Object.fromEntries(given) } };
  },
  commands: openCommandHost(),
});

async function listen(port: number): Promise<readonly [number, number]> {
  const service = services.byPort.get(port);
  const server = createServer({ allowHalfOpen: true }, (socket) => service?.accept(socket));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  return [port, typeof address === "object" ? (address?.port ?? 0) : 0];
}

void Promise.all([...services.byPort.keys()].map((port) => listen(port))).then((ports) => {
  process.stdout.write(`${JSON.stringify(Object.fromEntries(ports))}\n`);
});
