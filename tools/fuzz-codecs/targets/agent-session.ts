import { joinBytes } from "@slipway/wire/bytes/join";
import { DrpcError } from "@slipway/wire/drpc/errors";
import { DrpcResponder } from "@slipway/wire/drpc/responder";
import type { DescMessage } from "@slipway/wire/protobuf/descriptors";
import { rpcPath } from "@slipway/wire/protobuf/descriptors";
import { ProtobufError } from "@slipway/wire/protobuf/errors";
import { Agent } from "@slipway/wire/protobuf/gen/agent_pb";
import { Tailnet } from "@slipway/wire/protobuf/gen/tailnet_pb";
import { parseMessage } from "@slipway/wire/protobuf/message";
import { YamuxError } from "@slipway/wire/yamux/events";
import { YamuxSession } from "@slipway/wire/yamux/session";

import { chunksOf, outcomeOf, valueOf } from "../expectations.ts";
import { recordedSessions } from "../recordings.ts";
import type { FuzzTarget } from "../target.ts";

const requests: ReadonlyMap<string, DescMessage> = new Map(
  [...Agent.methods, ...Tailnet.methods].map((method) => [rpcPath(method), method.input]),
);

/** All layers of a session as in a server, on bytes that stock agents sent and mutations of them. */
export const agentSessionTarget: FuzzTarget = {
  name: "agent-session",
  maxBytes: 64 * 1024,
  maxMs: 200,
  words: [...requests.keys(), "\0\0\0\u0001", "\0\u0001\0\u0001", "\u0005\u0001\u0002"],
  seeds: () => [madeSession(), ...recordedSessions("c").map((bytes) => bytes.subarray(0, 4096))],
  check: (input) => {
    const session = new YamuxSession("server");
    const calls = new Map<number, Call>();
    outcomeOf(() => {
      for (const chunk of chunksOf(input, input.length)) {
        for (const event of session.receive(chunk, 0)) {
          if (event.type === "opened") calls.set(event.streamId, new Call());
          if (event.type === "closed") calls.delete(event.streamId);
          if (event.type !== "data") continue;
          const answer = calls.get(event.streamId)?.receive(event.bytes);
          if (answer === undefined) session.reset(event.streamId);
          else {
            session.consume(event.streamId, event.bytes.length);
            session.write(event.streamId, answer);
          }
        }
        session.takeOutput();
      }
    }, YamuxError);
  },
};

class Call {
  readonly #responder = new DrpcResponder();
  #request: DescMessage | undefined;

  /** Returns the answer; undefined when the stream must be reset. */
  receive(bytes: Uint8Array): Uint8Array | undefined {
    return valueOf(() => {
      const answers: Uint8Array[] = [];
      for (const event of this.#responder.receive(bytes)) {
        if (event.type === "invoke") {
          this.#request = requests.get(event.path);
          if (this.#request === undefined) answers.push(this.#responder.error(12, event.path));
        } else if (event.type === "message" && this.#request !== undefined) {
          const request = this.#request;
          const message = valueOf(() => parseMessage(request, event.bytes), ProtobufError);
          answers.push(this.#responder.message(Uint8Array.of(message === undefined ? 0 : 1)));
        }
      }
      return joinBytes(answers);
    }, DrpcError);
  }
}

/** Returns an agent's first messages, for a run without recordings. */
function madeSession(): Uint8Array {
  const session = new YamuxSession("client");
  const id = session.open(0);
  session.write(id, Uint8Array.of(0x03, 1, 1, 0x00));
  return session.takeOutput() ?? new Uint8Array(0);
}
