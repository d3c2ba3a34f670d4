import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("bare-server.ts", import.meta.url));

/** Starts `bare-server.ts`; resolves to its address without the scheme. It goes with `opened`. */
export async function openBareServer(opened: AsyncDisposableStack): Promise<string> {
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  opened.defer(async () => {
    child.kill();
    await once(child, "exit");
  });
  const [port] = await once(createInterface(child.stdout), "line");
  return `127.0.0.1:${String(port)}`;
}
