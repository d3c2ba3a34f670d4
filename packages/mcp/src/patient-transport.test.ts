import { PassThrough } from "node:stream";
import { setImmediate as settled } from "node:timers/promises";

import { expect, it, onTestFinished } from "vitest";

import { PatientTransport } from "./patient-transport.ts";

const request = { jsonrpc: "2.0", id: 7, method: "ping" } as const;

/** Opens a transport that has received a request, and then the end of its input. */
async function openEnded() {
  const input = new PassThrough();
  const output = new PassThrough();
  const timeLimit = Promise.withResolvers<void>();
  const transport = new PatientTransport({
    input,
    output,
    clock: { sleep: () => timeLimit.promise },
  });
  onTestFinished(() => transport.close());
  let isEnded = false;
  void transport.ended.then(() => (isEnded = true));
  await transport.start();
  input.write(`${JSON.stringify(request)}\n`);
  await settled();
  return { input, output, transport, passTime: timeLimit.resolve, isEnded: () => isEnded };
}

it("stays open at the end of its input until a request is answered", async () => {
  const { input, output, transport, isEnded } = await openEnded();
  input.end();
  await settled();
  expect(isEnded()).toBe(false);
  await transport.send({ jsonrpc: "2.0", id: 7, result: {} });
  await transport.ended;
  expect(String(output.read())).toBe('{"jsonrpc":"2.0","id":7,"result":{}}\n');
});

it("closes at the end of its input if its requests were canceled", async () => {
  const { input, transport } = await openEnded();
  const params = { requestId: 7 };
  const canceled = { jsonrpc: "2.0", method: "notifications/cancelled", params };
  input.end(`${JSON.stringify(canceled)}\n`);
  await transport.ended;
});

it("closes without an answer after a while, if its output is gone, and when it is told to", async () => {
  const late = await openEnded();
  late.input.end();
  late.passTime();
  await late.transport.ended;

  const broken = await openEnded();
  broken.input.end();
  broken.output.destroy();
  const answer = { jsonrpc: "2.0", id: 7, result: {} } as const;
  await expect(broken.transport.send(answer)).rejects.toThrow();
  await broken.transport.ended;

  const closed = await openEnded();
  await closed.transport.close();
  await closed.transport.ended;
});
