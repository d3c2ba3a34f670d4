import { DriverError } from "../errors.ts";
import { readContainerFile, readOwner } from "./container-files.ts";
import type { EngineContext } from "./engine-context.ts";
import { withHelper } from "./helper-container.ts";
import type { UserFiles } from "./user-files.ts";

/** The number of images whose facts are kept. */
const maxImages = 256;

/** Facts about images, which never change: read once from a container that is not started. */
export class ImageFacts {
  readonly #known = new Map<string, UserFiles>();

  /** Returns the users and the shell of an image. Throws `not-startable` for an image without `/bin/sh`. */
  async read(
    context: EngineContext,
    image: { readonly id: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<UserFiles> {
    const known = this.#known.get(image.id);
    if (known !== undefined) return known;
    const read = await readFacts(context, image, signal);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= maxImages && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(image.id, read);
    return read;
  }
}

async function readFacts(
  context: EngineContext,
  { id, name }: { readonly id: string; readonly name: string },
  signal: AbortSignal,
): Promise<UserFiles> {
  const config = {
    Image: id,
    Entrypoint: ["/bin/sh"],
    NetworkDisabled: true,
    HostConfig: { NetworkMode: "none" },
  };
  return withHelper(context, config, signal, async (helper) => {
    const { engine } = context;
    if ((await readOwner(engine, helper, "/bin/sh", signal)) === undefined) {
      throw new DriverError(
        "not-startable",
        `image ${name} has no /bin/sh: the agent needs an image with a shell, such as debian:12 or alpine:3`,
      );
    }
    const bash = await readOwner(engine, helper, "/bin/bash", signal);
    return {
      passwd: (await readContainerFile(engine, helper, "/etc/passwd", signal)) ?? "",
      group: (await readContainerFile(engine, helper, "/etc/group", signal)) ?? "",
      shell: bash === undefined ? "/bin/sh" : "/bin/bash",
    };
  });
}
