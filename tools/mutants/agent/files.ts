import type { Mutant } from "../mutant.ts";
import { filesSuite, sftpSuite } from "./suites.ts";

/** Bugs in what the agent opens, for itself and for its clients. */
export const files: readonly Mutant[] = [
  {
    name: "anybodys-directory",
    breaks: "programs in the path of scripts are in another user's directory",
    file: "packages/agent/src/process/private-directory.ts",
    find: "found.isDirectory() && uid === process.geteuid?.() && (mode & 0o022) === 0",
    replace: "found.isDirectory() && uid >= 0 && (mode & 0o022) === 0",
    suite: filesSuite,
  },
  {
    name: "rest-of-the-secret-before",
    breaks: "the end of a longer secret stays behind a shorter one",
    file: "packages/agent/src/session/secret-files.ts",
    find: "  await file.truncate();\n",
    replace: "",
    suite: filesSuite,
  },
  {
    name: "link-anybody-made",
    breaks: "a secret is written through a link that anybody may have made",
    file: "packages/agent/src/session/secret-files.ts",
    find: "return isOpen ? path : await realpath(path);",
    replace: "return isOpen === undefined ? path : await realpath(path);",
    suite: filesSuite,
  },
  {
    name: "full-log-closed",
    breaks: "a full log that cannot be renamed takes no more lines",
    file: "packages/agent/src/main/rotating-file.ts",
    find: "    if (fd === undefined) return full;\n",
    replace: "    if (fd === undefined) return -1;\n",
    suite: filesSuite,
  },
  {
    name: "home-of-anybody",
    breaks: "`~bob` becomes a name beside the home of the agent's user",
    file: "packages/agent/src/ssh/sftp/paths.ts",
    find: 'name === "~" || name.startsWith("~/")',
    replace: 'name.startsWith("~")',
    suite: sftpSuite,
  },
  {
    name: "truncate-that-waits",
    breaks: "setting the size of a leased file holds a thread until the lease breaks",
    file: "packages/agent/src/ssh/sftp/requests.ts",
    find: "await using file = await open(name, constants.O_WRONLY | special);",
    replace: "await using file = await open(name, constants.O_WRONLY | constants.O_NOCTTY);",
    suite: sftpSuite,
  },
  {
    name: "closed-handle-counts",
    breaks: "a closed handle makes no room for another",
    file: "packages/agent/src/ssh/sftp/open-handles.ts",
    find: "  } finally {\n    descriptor[Symbol.dispose]();\n",
    replace: "  } finally {\n    // Kept.\n",
    suite: sftpSuite,
  },
  {
    name: "failed-handle-counts",
    breaks: "a file that cannot be opened takes room for good",
    file: "packages/agent/src/ssh/sftp/open-handles.ts",
    find: "    } catch (error) {\n      descriptor[Symbol.dispose]();\n",
    replace: "    } catch (error) {\n",
    suite: sftpSuite,
  },
];
