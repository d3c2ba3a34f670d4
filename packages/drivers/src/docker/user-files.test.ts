import { describe, expect, it } from "vitest";

import { findUser, requireUser } from "./user-files.ts";

const files = {
  passwd: "root:x:0:0:root:/root:/bin/bash\nnode:x:1000:1000::/home/node:/bin/sh\n",
  group: "root:x:0:\nnode:x:1000:\nstaff:x:1001:\n",
  shell: "/bin/bash",
};

describe("the user of a container", () => {
  it("is found by name and by uid, and nothing is added", () => {
    const account = { name: "node", uid: 1000, gid: 1000, home: "/home/node", shell: "/bin/sh" };
    for (const text of ["node", "1000", "node:staff", "1000:1001"]) {
      expect(findUser(text, files, undefined)).toEqual({
        identity: text,
        account,
        files: undefined,
      });
    }
  });

  it("is root if none is given", () => {
    expect(findUser("", files, 5).account).toMatchObject({ name: "root", uid: 0 });
    expect(findUser("", { passwd: "", group: "", shell: "/bin/sh" }, undefined)).toEqual({
      identity: "0:0",
      account: { name: "root", uid: 0, gid: 0, home: "/root", shell: "/bin/sh" },
      files: { passwd: "root:x:0:0::/root:/bin/sh\n", group: "root:x:0:\n" },
    });
  });

  it("gets an entry with a free uid and a group of its own", () => {
    const { identity, account, files: written } = findUser("dev", files, undefined);
    expect(identity).toBe("1001:1002");
    expect(findUser("dev:staff", files, undefined).identity).toBe("1001:staff");
    expect(account).toEqual({
      name: "dev",
      uid: 1001,
      gid: 1002,
      home: "/home/dev",
      shell: "/bin/bash",
    });
    expect(written?.passwd).toBe(`${files.passwd}dev:x:1001:1002::/home/dev:/bin/bash\n`);
  });

  it("keeps the owner of the files in its home", () => {
    expect(findUser("dev", files, 4321).account).toMatchObject({ uid: 4321, gid: 4321 });
    expect(findUser("dev", files, 1000).account).toMatchObject({ uid: 1001 });
  });

  it("joins an existing group of its name", () => {
    const { account, files: written } = findUser("staff", files, undefined);
    expect(account).toMatchObject({ uid: 1001, gid: 1001 });
    expect(written?.group).toBe(files.group);
  });

  it("takes a uid without an entry", () => {
    expect(findUser("1234", files, 4321)).toMatchObject({
      account: { name: "user-1234", uid: 1234, gid: 1234, home: "/home/user-1234" },
    });
  });

  it("completes a last line without its end, and ignores broken ones", () => {
    const broken = {
      ...files,
      passwd: "root:x:0:0:root:/root:/bin/bash\nx:y\n::\nlast:x:1000:1000::/:/bin/sh",
    };
    expect(findUser("dev", broken, undefined).files?.passwd).toBe(
      `${broken.passwd}\ndev:x:1001:1002::/home/dev:/bin/bash\n`,
    );
  });
});

it("accepts users that can be an entry, and no others", () => {
  for (const text of ["dev", "1000", "1000:1000", "dev:staff", "_x-1"]) requireUser(text);
  for (const text of ["", "a b", "dev:", "dev\nroot::0:0", "a:b:c", "x".repeat(33), "-x"]) {
    expect(() => requireUser(text)).toThrow("wanted a name");
  }
});
