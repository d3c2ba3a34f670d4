import { errorText } from "@slipway/runtime";

import { IdentityError } from "../errors.ts";
import { requestText } from "./request-text.ts";

export interface MetadataRequest {
  readonly method: "GET" | "PUT";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A cloud's metadata service, at an address that only its instances reach. */
export class MetadataService {
  readonly #cloudName: string;
  readonly #url: string;

  constructor(cloudName: string, url: string) {
    this.#cloudName = cloudName;
    this.#url = url.replace(/\/+$/, "");
  }

  /** Resolves to the body of a 200 that is not empty. Rejects with `IdentityError`, even if the signal is aborted. */
  async ask(request: MetadataRequest, signal: AbortSignal): Promise<string> {
    const { method, path, headers } = request;
    const answer = await requestText(
      new URL(this.#url + path),
      { method, headers, body: undefined },
      signal,
    ).catch((error: unknown) => {
      throw this.#unreachable(signal.aborted ? signal.reason : error);
    });
    if (answer.status !== 200) {
      throw new IdentityError(
        `${this.#name} answered ${answer.status} to ${method} ${path}: allow it in the instance's settings, ${orToken}`,
      );
    }
    if (answer.text === undefined) throw this.unusable(request, "not more than 1 MiB");
    if (answer.text.trim() === "") throw this.unusable(request, "a text");
    return answer.text;
  }

  /** Returns the error for an unusable answer. The answer itself may be a secret, so it is left out. */
  unusable({ method, path }: MetadataRequest, wanted: string): IdentityError {
    return new IdentityError(
      `${this.#name} answered ${method} ${path} with something unexpected, wanted ${wanted}: check what answers at that address, ${orToken}`,
    );
  }

  #unreachable(cause: unknown): IdentityError {
    const cloud = this.#cloudName;
    return new IdentityError(
      `${this.#name} cannot be reached (${errorText(cause)}): this machine is not an instance of ${cloud}, or a firewall or a container's network blocks that address: allow it, ${orToken}`,
      { cause },
    );
  }

  /** The service's name and address, without a password. */
  get #name(): string {
    return `the metadata service of ${this.#cloudName} at ${new URL(this.#url).origin}`;
  }
}

const orToken = "or start the agent with CODER_AGENT_TOKEN";
