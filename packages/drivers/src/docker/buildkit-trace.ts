import { StringDecoder } from "node:string_decoder";

import {
  type StatusResponse,
  StatusResponseSchema,
  type Vertex,
} from "@slipway/wire/protobuf/gen/buildkit_pb";
import { parseKnownFields } from "@slipway/wire/protobuf/message";

/** A part of a build's progress: a line of text, or the state of a layer. */
export type BuildProgress =
  | { readonly text: string }
  | { readonly layer: string; readonly state: string };

/** The maximum number of steps of one build; a Dockerfile has far fewer. */
const maxSteps = 10_000;

/** The length at which a line without an end is cut. */
const maxOpenLineLength = 8_192;

interface Step {
  readonly name: string;
  readonly decoder: StringDecoder;
  /** The output after its last line end. */
  openLine: string;
}

/**
 * Decodes the progress of a build by BuildKit, whose steps run concurrently. The name of a step precedes its output, and
 * is repeated after output of another step.
 */
export class BuildKitTrace {
  readonly #steps = new Map<string, Step>();
  /** The digest of the step that wrote last. */
  #current = "";

  /** Decodes a `StatusResponse`. Throws `ProtobufError` for anything else. */
  *read(bytes: Uint8Array): Generator<BuildProgress> {
    const status = parseKnownFields(StatusResponseSchema, bytes);
    const ended = status.vertexes.filter(({ completed }) => completed !== undefined);
    for (const vertex of status.vertexes) yield* this.#begin(vertex);
    yield* readLayers(status);
    for (const { vertex, msg } of status.logs) yield* this.#output(vertex, msg);
    for (const { short } of status.warnings) yield { text: `warning: ${decode(short)}` };
    for (const { digest } of ended) yield* this.#end(digest);
  }

  *#begin({ digest, name, started, cached }: Vertex): Generator<BuildProgress> {
    if (started === undefined || this.#steps.has(digest) || this.#steps.size >= maxSteps) return;
    const step = { name: decode(name), decoder: new StringDecoder(), openLine: "" };
    this.#steps.set(digest, step);
    this.#current = digest;
    yield { text: cached ? `${step.name} (cached)` : step.name };
  }

  *#output(digest: string, bytes: Uint8Array): Generator<BuildProgress> {
    const step = this.#steps.get(digest);
    if (step === undefined) return;
    if (this.#current !== digest) yield { text: step.name };
    this.#current = digest;
    const text = step.openLine + step.decoder.write(Buffer.from(bytes));
    const end = text.length > maxOpenLineLength ? text.length : text.lastIndexOf("\n") + 1;
    step.openLine = text.slice(end);
    if (end > 0) yield { text: text.slice(0, end) };
  }

  *#end(digest: string): Generator<BuildProgress> {
    const step = this.#steps.get(digest);
    if (step === undefined || step.openLine === "") return;
    if (this.#current !== digest) yield { text: step.name };
    this.#current = digest;
    yield { text: step.openLine };
    step.openLine = "";
  }
}

/** Returns the states of layers and downloads, the last of which is `done`. */
function readLayers({ statuses }: StatusResponse): readonly BuildProgress[] {
  return statuses.map(({ id, name, completed }) => ({
    layer: decode(id),
    state: completed === undefined ? decode(name) : "done",
  }));
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
