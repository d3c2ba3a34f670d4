import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join, normalize } from "node:path";
import { promisify } from "node:util";

import { openLocalServer } from "@slipway/testkit";

/** An HTTP host of one Git repository, `/repository.git`, that accepts passwords. The opener disposes of it. */
export interface GitHost extends AsyncDisposable {
  readonly port: number;
}

const run = promisify(execFile);

/** Opens a host in an empty directory; `isAllowed` checks each user name and password. */
export async function openGitHost(
  directory: string,
  isAllowed: (username: string, password: string) => boolean,
): Promise<GitHost> {
  const bare = join(directory, "repository.git");
  const work = join(directory, "work");
  const author = ["-c", "user.name=Ada", "-c", "user.email=ada@git.test"];
  await run("git", ["init", "-q", work]);
  await run("git", ["-C", work, ...author, "commit", "-q", "--allow-empty", "-m", "first"]);
  await run("git", ["clone", "-q", "--bare", work, bare]);
  // The file that clients read from hosts without a Git program.
  await run("git", ["-C", bare, "update-server-info"]);
  return openLocalServer(
    createServer((request, response) => {
      const given = /^Basic (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
      const [username = "", password = ""] = Buffer.from(given, "base64").toString().split(":");
      if (!isAllowed(username, password)) {
        response.writeHead(401, { "WWW-Authenticate": 'Basic realm="git"' }).end();
        return;
      }
      const path = normalize(new URL(request.url ?? "/", "http://host").pathname);
      readFile(join(directory, path)).then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      );
    }),
  );
}
