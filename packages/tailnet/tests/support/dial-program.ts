import { createRelayDialer } from "../../src/node/relay-dialer.ts";
import { nodeAt } from "./regions.ts";

/* A process that dials a relay over HTTPS, with the settings of its environment, and prints whether that succeeded. */

const [port = "", transport = ""] = process.argv.slice(2);
const node = nodeAt(Number(port), { isHttp: false, certName: "relay.test" });
try {
  const way = transport === "websocket" ? transport : "upgrade";
  const stream = await createRelayDialer().dial(node, way, AbortSignal.timeout(20_000));
  const greeted = new Promise<number>((resolve, reject) => {
    stream.start({
      receive: (chunk) => resolve(chunk.length),
      closed: () => reject(new Error("closed")),
    });
  });
  process.stdout.write(`connected: ${String((await greeted) > 0)}\n`);
  stream.destroy();
} catch (error) {
  process.stdout.write(`failed: ${String(Reflect.get(Object(error), "rung"))}\n`);
}
